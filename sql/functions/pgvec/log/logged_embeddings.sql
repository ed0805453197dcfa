-- pgvec.logged_embeddings -- match_documents_embeddings of several tenants, whose searches are logged: see pgvec.logged_match_documents.
-- For one tenant, or none, it makes one call, which is logged as any.
create or replace function pgvec.logged_embeddings(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started timestamptz := clock_timestamp();
  ended   timestamptz;
  found   int := 0;
  top     float8;
begin
  perform set_config('pgvec.search_log', 'nothing', true);
  for id, content, metadata, similarity, embedding in
    select m.id, m.content, m.metadata, m.similarity, m.embedding
      from public.match_documents_embeddings(query_embedding, match_count, filter, match_threshold, collection.name, for_tenant) as m
  loop
    found := found + 1;
    top := greatest(top, similarity);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'match_documents', current_setting('pgvec.search_log'), pgvec.clamp_count(match_count, 100), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, null, query_embedding);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid) is
  'match_documents_embeddings, and the row of pgvec.search_log where the sample wants it. Errors as match_documents_embeddings.';
revoke all on function pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid) from public;
select pgvec.grant_execute('pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid)', 'reader');
