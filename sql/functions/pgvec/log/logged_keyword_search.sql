-- pgvec.logged_keyword_search -- keyword_search of a collection whose searches are logged: see pgvec.logged_match_documents.
create or replace function pgvec.logged_keyword_search(
    collection pgvec.collections,
    query_text text,
    match_count int,
    filter jsonb,
    ranking text,
    for_tenant uuid,
    highlight boolean,
    match_threshold float8)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
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
  for id, content, metadata, score, headline in
    select k.id, k.content, k.metadata, k.score, k.headline
      from public.keyword_search(query_text, match_count, filter, ranking, collection.name, for_tenant, highlight, match_threshold) as k
  loop
    found := found + 1;
    top := greatest(top, score);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'keyword_search', 'keyword', pgvec.clamp_count(match_count, 10), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, query_text, null);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8) is
  'keyword_search, and the row of pgvec.search_log where the sample wants it. Errors as keyword_search.';
revoke all on function pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8) from public;
select pgvec.grant_execute('pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8)', 'reader');
