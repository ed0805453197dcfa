-- pgvec.logged_match_documents -- match_documents of a collection whose searches are logged.
-- It calls match_documents again, with the setting pgvec.search_log saying that this one is within another, and so are all
-- that it calls: a search is logged once, as its caller made it. The setting comes back with the route. After an error it is
-- what it was, as settings are.
create or replace function pgvec.logged_match_documents(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid, distance text)
  returns table (id text, content text, metadata jsonb, similarity float8)
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
  for id, content, metadata, similarity in
    select m.id, m.content, m.metadata, m.similarity
      from public.match_documents(query_embedding, match_count, filter, match_threshold, collection.name, for_tenant, distance) as m
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
comment on function pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text) is
  'match_documents, and the row of pgvec.search_log where the sample wants it. Errors as match_documents.';
revoke all on function pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text) from public;
select pgvec.grant_execute('pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text)', 'reader');
