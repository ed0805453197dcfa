-- pgvec.find_candidates -- the candidates of a search, found by the caller, or by the owner for a caller under policies.
create or replace function pgvec.find_candidates(
    scope pgvec.search_request, query_text text, query_embedding extensions.vector, filter jsonb, match_threshold float8, distance text,
    ranking text, depth int, by_vector boolean, by_keyword boolean, out hits pgvec.fused[], out query pgvec.keyword_query, out route text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found record;
begin
  if scope.alone then
    found := pgvec.candidates(scope, query_text, query_embedding, filter, match_threshold, find_candidates.distance, find_candidates.ranking, depth, by_vector, by_keyword);
  else
    found := pgvec.candidates_as_owner(case when (scope.collection).source is null then (scope.collection).name else pgvec.model_name(scope.collection) end,
                                       scope.tenants[1], query_text, query_embedding, filter, match_threshold, find_candidates.distance,
                                       find_candidates.ranking, depth, by_vector, by_keyword, scope.reading);
  end if;
  hits := found.hits;
  query := found.query;
  route := found.route;
end
$$;
comment on function pgvec.find_candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean) is
  'pgvec.candidates, by the caller or by pgvec.candidates_as_owner. Errors as match_documents.';
revoke all on function pgvec.find_candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.find_candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean)', 'reader');
