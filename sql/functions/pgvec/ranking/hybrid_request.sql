-- pgvec.hybrid_request -- a search by vector and by keyword: its defaults and checks, worked out in this one place.
-- The defaults won the evaluation over four judged sets (docs/ranking.md). Without an embedding it takes the vector that was
-- fitted to the words, if there is one.
drop function if exists pgvec.hybrid_request(
  text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean);

create or replace function pgvec.hybrid_request(
    query_text text, query_embedding extensions.vector, match_count int, full_text_weight float8, semantic_weight float8, rrf_k int, fusion text,
    filter jsonb, match_threshold float8, ranking text, collection text, for_tenant uuid, candidates int, group_by text, diversity float8,
    recency_field text, half_life interval, autocut boolean, fuzzy boolean default false, prefix boolean default false)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(hybrid_request.collection, for_tenant);
begin
  request.query_text := query_text;
  request.query_embedding := query_embedding;
  request.wanted := pgvec.clamp_count(match_count, 10);
  request.depth := greatest(pgvec.clamp_count(candidates, 100), request.wanted);
  request.full_text_weight := coalesce(full_text_weight, 1);
  request.semantic_weight := coalesce(semantic_weight, 1);
  request.rrf_k := coalesce(rrf_k, 60);
  request.fusion := coalesce(fusion, case when rrf_k is null then 'dbsf' else 'rrf' end);
  request.ranking := coalesce(ranking, 'bm25');
  request.filter := filter;
  request.match_threshold := match_threshold;
  request.group_by := group_by;
  request.diversity := diversity;
  request.recency_field := recency_field;
  request.half_life := half_life;
  request.autocut := autocut;
  request.reading := pgvec.reading(fuzzy, prefix);
  perform pgvec.fuse(null, request.fusion, null, null, null, request.ranking);  -- PV004 for none that there is
  perform pgvec.keyword_score(request.ranking);  -- PV004 for none that there is
  perform pgvec.check_weights(request.semantic_weight, request.full_text_weight, rrf_k, diversity, recency_field, half_life);
  if request.semantic_weight > 0 then
    if query_embedding is null then
      request.query_embedding := pgvec.query_vector(query_text, (request.collection).name);
    end if;
    if request.query_embedding is null and request.full_text_weight > 0 and exists (select from pgvec.fit_status((request.collection).name)) then
      request.semantic_weight := 0;
      raise notice using
        message = 'no word of the query has a fitted vector: it is searched by keyword alone',
        hint    = format('where new rows have it, fit again: pgvec-admin fit %s', (request.collection).name);
    else
      if (request.collection).changing or extensions.vector_dims(request.query_embedding) <> (request.collection).dimensions then
        request.collection := pgvec.fitting(request.collection, hybrid_request.collection, request.query_embedding);
      end if;
      perform pgvec.check_query_embedding(request.collection, request.query_embedding);
    end if;
  end if;
  return request;
end
$$;
comment on function pgvec.hybrid_request(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean, boolean, boolean) is
  'The request for the arguments of hybrid_search. Raises PV001, PV002, PV004, PV005 and PV006 as hybrid_search.';
revoke all on function pgvec.hybrid_request(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean, boolean, boolean) from public;
select pgvec.grant_execute(
  'pgvec.hybrid_request(text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, '
  'interval, boolean, boolean, boolean)', 'reader');
