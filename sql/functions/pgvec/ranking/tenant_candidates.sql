-- pgvec.tenant_candidates -- what a hybrid search in one tenant chooses from: ids and scores.
-- As pgvec.tenant_matches, for both sides at once.
create or replace function pgvec.tenant_candidates(
    collection text,
    query pgvec.keyword_query,
    query_embedding extensions.vector,
    ranking text,
    filter jsonb,
    match_threshold float8,
    depth int,
    by_vector boolean,
    by_keyword boolean,
    for_tenant uuid)
  returns pgvec.fused[]
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  return pgvec.hybrid_candidates(
    pgvec.tenant_target(collection, for_tenant), query, query_embedding, ranking, filter, match_threshold, depth, by_vector, by_keyword);
end
$$;
comment on function pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid) is
  'pgvec.hybrid_candidates for a tenant of the caller''s, by the owner of the table. Raises PV006.';
revoke all on function pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid)', 'reader');
