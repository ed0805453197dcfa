-- pgvec.reuse_embeddings -- gives staged chunks the embeddings that their source has for the same texts.
-- Where chunks were inserted or removed, every text after them has another number. Its embedding goes with it, and must not
-- stay with the chunk that has its number now: a search for the one text would find the other.
create or replace function pgvec.reuse_embeddings(request pgvec.search_request)
  returns text[]
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  relation constant text := (request.collection).relation;
  own      constant text := pgvec.of_tenant(request, 'r');
  left_by  text[];
begin
  execute format(
    $query$
    update pg_temp.staged_documents as s
       set embedding = f.embedding
      from (select x.position, d.embedding
              from pg_temp.staged_documents as x
             cross join lateral (
                   select r.embedding
                     from %1$s as r
                    where r.source = x.source %2$s
                      and r.content_hash = md5(x.content)
                      and r.embedded_hash = r.content_hash
                    limit 1) as d
             where x.embedding is null) as f
     where s.position = f.position
    $query$, relation, own);

  execute format(
    $query$
    select array(
      select x.id
        from pg_temp.staged_documents as x
       cross join lateral (select r.embedded_hash from %1$s as r where r.id = x.id %2$s offset 0) as d
       where x.embedding is null
         and x.id = x.source || '#' || x.chunk_index
         and (d.embedded_hash in (select md5(t.content) from pg_temp.staged_documents as t where t.source = x.source)
              or exists (select from %1$s as r where r.source = x.source and r.content_hash = d.embedded_hash and r.id <> x.id %2$s)))
    $query$, relation, own)
    into left_by;
  return left_by;
end
$$;
comment on function pgvec.reuse_embeddings(pgvec.search_request) is
  'Fills the embedding of staged rows (pgvec.begin_staging) with that of a row of the same source with the same content. Returns the ids of staged chunks whose '
  'stored embedding is that of a text which now has another number.';
revoke all on function pgvec.reuse_embeddings(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.reuse_embeddings(pgvec.search_request)', 'writer');
