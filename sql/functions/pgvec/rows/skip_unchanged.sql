-- pgvec.skip_unchanged -- removes staged rows that are identical to stored ones.
drop function if exists pgvec.skip_unchanged(pgvec.collections);

create or replace function pgvec.skip_unchanged(request pgvec.search_request)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  collection constant pgvec.collections := request.collection;
  unchanged  bigint;
begin
  -- of two rows with one id the later one counts
  delete from pg_temp.staged_documents as s
   using (select x.id, max(x.position) as last
            from pg_temp.staged_documents as x
           group by x.id
          having count(*) > 1) as twice
   where s.id = twice.id
     and s.position < twice.last;

  execute format(
    $query$
    delete from pg_temp.staged_documents as s
     using (select x.position
              from pg_temp.staged_documents as x
             cross join lateral (select r.* from %1$s as r where r.id = x.id %3$s offset 0) as d
             where d.content = x.content
               and d.metadata = x.metadata
               and d.source is not distinct from x.source
               and d.chunk_index is not distinct from x.chunk_index
               and (x.embedding is null
                    or d.embedding operator(extensions.=) x.embedding::extensions.%2$I and d.embedded_hash = d.content_hash)) as same
     where s.position = same.position
    $query$, collection.relation, collection.storage, pgvec.of_tenant(request, 'r'));
  get diagnostics unchanged = row_count;
  return unchanged;
end
$$;
comment on function pgvec.skip_unchanged(pgvec.search_request) is
  'Deletes from the temporary table staged_documents all but the last row of each id, and the rows that are identical to stored ones; returns how many were '
  'identical.';
revoke all on function pgvec.skip_unchanged(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.skip_unchanged(pgvec.search_request)', 'writer');
