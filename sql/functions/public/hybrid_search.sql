-- hybrid_search -- the rows of a collection that are best by vector and by keyword together.
-- Either side brings its best rows, all of them are scored by both, and one score is made of the two: pgvec.fuse.
-- The defaults won the evaluation over four judged sets (docs/ranking.md).
create or replace function public.hybrid_search(
    query_text text,
    query_embedding extensions.vector,
    match_count int default 10,
    full_text_weight float8 default 1,
    semantic_weight float8 default 1,
    rrf_k int default null,
    fusion text default null,
    filter jsonb default '{}',
    match_threshold float8 default null,
    ranking text default 'bm25',
    collection text default 'documents',
    for_tenant uuid default null,
    candidates int default 100,
    group_by text default null,
    diversity float8 default null,
    recency_field text default null,
    half_life interval default null,
    autocut boolean default false)
  returns table (
    id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections := pgvec.scoped(coalesce(hybrid_search.collection, 'documents'), for_tenant);
  fused     text := coalesce(fusion, case when rrf_k is null then 'dbsf' else 'rrf' end);
  ranked    text := coalesce(ranking, 'bm25');
  by_vector float8 := coalesce(semantic_weight, 1);
  by_text   float8 := coalesce(full_text_weight, 1);
  wanted    int := pgvec.clamp_count(match_count, 10);
  depth     int := greatest(pgvec.clamp_count(candidates, 100), wanted);
  query     pgvec.keyword_query;
  found     pgvec.fused[];
  hits      pgvec.fused[];
begin
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query
      select l.*
        from pgvec.logged_hybrid_search(
               target, query_text, query_embedding, match_count, by_text, by_vector, rrf_k, fused, filter, match_threshold, ranked,
               for_tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as l;
    return;
  end if;
  perform pgvec.check_choice('fusion', fused, '{rrf,dbsf,minmax,weighted}');
  perform pgvec.check_choice('ranking', ranked, '{bm25,ts_rank,ts_rank_cd}');
  perform pgvec.check_weights(by_vector, by_text, rrf_k, diversity, recency_field, half_life);
  if by_vector > 0 then
    perform pgvec.check_query_embedding(target, query_embedding);
  end if;
  if cardinality(target.tenants) > 1 then
    return query
      select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
        from unnest(target.tenants) as t (tenant)
       cross join lateral public.hybrid_search(
               query_text, query_embedding, wanted, by_text, by_vector, rrf_k, fused, filter, match_threshold, ranked, target.name,
               t.tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as h
       order by h.score desc, h.id, t.tenant
       limit wanted;
    return;
  end if;
  query := pgvec.keyword_query(target.name, query_text, target.tenants[1]);

  loop
    found := pgvec.hybrid_candidates(target, query, query_embedding, ranked, filter, match_threshold, depth, by_vector > 0, by_text > 0);
    hits := pgvec.fuse(found, fused, by_vector, by_text, coalesce(rrf_k, 60), ranked);
    if recency_field is not null then
      hits := pgvec.decay(target, hits, recency_field, half_life);
    end if;
    exit when group_by is null;
    hits := pgvec.best_of_groups(target, hits, group_by);
    -- the best rows may be of few groups; then there are more behind them
    exit when cardinality(hits) >= wanted or cardinality(found) < depth or depth = 1000;
    depth := least(1000, 4 * depth);
  end loop;
  if autocut then
    hits := pgvec.autocut(hits[:wanted]);
  end if;
  if diversity > 0 then
    hits := pgvec.diversify(target, hits, diversity, wanted);
  end if;

  return query execute format(
    $query$
    select h.id, d.content, d.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from unnest($1) with ordinality as h (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
      join %s as d on d.id = h.id
     order by h.place
    $query$, pgvec.rows_of(target, by_key => 'h.id'))
    using hits[:wanted];
end
$$;
comment on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean) is
  'The match_count (1 to 1000) rows of a collection that are best by vector and by keyword together, best first, ties by id. '
  'fusion: dbsf (the default), rrf (the default where rrf_k is given; rrf_k 60 otherwise), minmax, or weighted (weight * similarity + weight * keyword score). '
  'A weight of 0 leaves that side out. filter: as in match_documents. match_threshold: the least similarity of what the vector side brings. '
  'ranking: bm25, ts_rank or ts_rank_cd. candidates: rows that either side brings. group_by: only the best row of each source (''source'') or value of a metadata key. '
  'diversity: 0 to 1, how much a row like one before it is held back. recency_field with half_life: a date in metadata, and the age at which half the score is left. '
  'autocut: ends before the largest drop of the score. similarity is null without an embedding, keyword_score 0 without any of the words; either is null where its weight is 0. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean) from public;
select pgvec.grant_execute(
  'public.hybrid_search(text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean)', 'reader');
