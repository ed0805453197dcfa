-- pgvec.hybrid_rows -- what hybrid_search finds for one tenant, or in a collection without tenants.
-- Either side brings its best rows, all of them are scored by both, and the two scores are fused into one: pgvec.fuse.
-- Rows of several tenants say in their metadata whose they are.
create or replace function pgvec.hybrid_rows(request pgvec.search_request, tenant uuid)
  returns table (
    place bigint, id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  depth int := request.depth;
  several constant boolean := coalesce(cardinality(request.tenants) > 1, false);
  found record;
  hits  pgvec.fused[];
begin
  request.tenants := case when request.tenants is not null then array[tenant] end;
  loop
    found := pgvec.find_candidates(request, coalesce(request.query_text, ''), request.query_embedding, request.filter, request.match_threshold, null,
                                   request.ranking, depth, request.semantic_weight > 0, request.full_text_weight > 0);
    hits := pgvec.fuse(found.hits, request.fusion, request.semantic_weight, request.full_text_weight, request.rrf_k, request.ranking);
    if request.recency_field is not null then
      hits := pgvec.decay(request, hits, request.recency_field, request.half_life);
    end if;
    exit when request.group_by is null;
    hits := pgvec.best_of_groups(request, hits, request.group_by);
    -- the best rows may belong to few groups; then go deeper
    exit when cardinality(hits) >= request.wanted or cardinality(found.hits) < depth or depth = 1000;
    depth := least(1000, 4 * depth);
  end loop;
  if request.autocut then
    hits := pgvec.autocut(hits[:request.wanted]);
  end if;
  if request.diversity > 0 then
    hits := pgvec.diversify(request, hits, request.diversity, request.wanted);
  end if;

  return query execute format(
    $query$
    select h.place, h.id, d.content, case when $2 then d.metadata || jsonb_build_object('tenant_id', $3) else d.metadata end, h.score,
           h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from unnest($1) with ordinality as h (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
      join %s as d on d.id = h.id
     order by h.place
    $query$, pgvec.rows_of(request, by_key => 'h.id'))
    using hits[:request.wanted], several, tenant;
end
$$;
comment on function pgvec.hybrid_rows(pgvec.search_request, uuid) is
  'The rows that hybrid_search finds for a request (pgvec.hybrid_request) among those of one tenant, with their place. tenant: null in a collection without '
  'tenants. Raises PV003.';
revoke all on function pgvec.hybrid_rows(pgvec.search_request, uuid) from public;
select pgvec.grant_execute('pgvec.hybrid_rows(pgvec.search_request, uuid)', 'reader');
