-- hybrid_search -- the rows of a collection that are best by vector and by keyword together.
-- pgvec.hybrid_request checks the arguments, pgvec.hybrid_rows searches, for each tenant as if there were no other.
drop function if exists public.hybrid_search(
  text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean);

create or replace function public.hybrid_search(
    query_text text,
    query_embedding extensions.vector default null,
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
    autocut boolean default false,
    syntax text default 'web',
    fuzzy boolean default false,
    prefix boolean default false)
  returns table (
    id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started  constant timestamptz := clock_timestamp();
  request  constant pgvec.search_request := pgvec.hybrid_request(
             case syntax when 'plain' then (pgvec.parse_words(query_text, 'plain')).words else query_text end,
             query_embedding, match_count, full_text_weight, semantic_weight, rrf_k, fusion, filter, match_threshold, ranking,
             coalesce(hybrid_search.collection, 'documents'), for_tenant, candidates, group_by, diversity, recency_field, half_life, autocut, fuzzy, prefix);
  several  constant boolean := coalesce(cardinality(request.tenants) > 1, false);
  returned int := 0;
  best     float8;
begin
  perform pgvec.check_choice('syntax', coalesce(syntax, 'web'), '{web,plain}');
  for id, content, metadata, score, similarity, keyword_score, semantic_rank, keyword_rank in
    select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from unnest(coalesce(request.tenants, array[null::uuid])) as t (tenant)
     cross join lateral pgvec.hybrid_rows(request, t.tenant) as h
     order by case when several then h.score end desc, case when several then h.id end, h.place, t.tenant
     limit request.wanted
  loop
    returned := returned + 1;
    best := greatest(best, score);
    return next;
  end loop;
  if random() < (request.collection).log_sample then
    perform pgvec.log_search((request.collection).name, 'hybrid_search', 'hybrid', request.wanted, returned, started, best, for_tenant, filter, query_text, request.query_embedding);
  end if;
end
$$;
comment on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean, text, boolean, boolean) is
  'The match_count (1 to 1000) rows of a collection that are best by vector and by keyword together, best first, ties by id. '
  'fusion: dbsf (the default), rrf (the default where rrf_k is given; rrf_k 60 otherwise), minmax, or weighted (weight * similarity + weight * keyword score). '
  'Without query_embedding it takes pgvec.query_vector, or raises PV004 where nothing is fitted. A weight of 0 leaves that side out. '
  'filter: as in match_documents. match_threshold: the least similarity of what the vector side brings. '
  'ranking: as in keyword_search. candidates: rows that either side brings. group_by: only the best row of each source (''source'') or value of a metadata key. '
  'diversity: 0 to 1, how much a row like one before it is held back. recency_field with half_life: a date in metadata, and the age at which half the score is left. '
  'syntax, fuzzy, prefix: as in keyword_search; -words are excluded on both sides. '
  'autocut: ends before the largest drop of the score. similarity is null without an embedding, keyword_score 0 without any of the words; either is null where its weight is 0. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean, text, boolean, boolean) from public;
select pgvec.grant_execute(
  'public.hybrid_search(text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, '
  'interval, boolean, text, boolean, boolean)', 'reader');
