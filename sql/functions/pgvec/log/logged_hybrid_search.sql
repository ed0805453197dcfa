-- pgvec.logged_hybrid_search -- hybrid_search of a collection whose searches are logged: see pgvec.logged_match_documents.
create or replace function pgvec.logged_hybrid_search(
    collection pgvec.collections,
    query_text text,
    query_embedding extensions.vector,
    match_count int,
    full_text_weight float8,
    semantic_weight float8,
    rrf_k int,
    fusion text,
    filter jsonb,
    match_threshold float8,
    ranking text,
    for_tenant uuid,
    candidates int,
    group_by text,
    diversity float8,
    recency_field text,
    half_life interval,
    autocut boolean)
  returns table (
    id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
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
  for id, content, metadata, score, similarity, keyword_score, semantic_rank, keyword_rank in
    select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from public.hybrid_search(
             query_text, query_embedding, match_count, full_text_weight, semantic_weight, rrf_k, fusion, filter, match_threshold, ranking,
             collection.name, for_tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as h
  loop
    found := found + 1;
    top := greatest(top, score);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'hybrid_search', 'hybrid', pgvec.clamp_count(match_count, 10), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, query_text, query_embedding);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_hybrid_search(
    pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean) is
  'hybrid_search, and the row of pgvec.search_log where the sample wants it. Errors as hybrid_search.';
revoke all on function pgvec.logged_hybrid_search(
    pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean) from public;
select pgvec.grant_execute(
  'pgvec.logged_hybrid_search(
     pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean)', 'reader');
