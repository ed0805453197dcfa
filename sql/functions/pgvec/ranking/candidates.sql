-- pgvec.candidates -- the best rows by vector, by keyword or by both, as the current user sees them; of one tenant, where rows
-- belong to tenants.
-- What one side found is scored by the other too: a row found by one side only would otherwise count as worthless to the other,
-- which costs more in the order of results than any other part of fusion.
-- -excluded words apply to both sides; "quoted phrases" apply only to rows found by keyword, since the vector side is meant to
-- find texts that say the same in other words. A keyword search alone needs no such distinction: it has one filter.
create or replace function pgvec.candidates(
    scope pgvec.search_request, query_text text, query_embedding extensions.vector, filter jsonb, match_threshold float8, distance text,
    ranking text, depth int, by_vector boolean, by_keyword boolean, out hits pgvec.fused[], out query pgvec.keyword_query, out route text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := scope;
  target  pgvec.collections := scope.collection;
  wanted  jsonb := filter;
  nearest record;
  scored  pgvec.scored[];
  ids     text[] := '{}'::text[];
begin
  if query_text is not null then
    query := pgvec.keyword_query(target.name, query_text, scope.tenants[1], scope.reading);
    wanted := pgvec.with_text(filter, query.excluded);
  end if;
  if by_vector then
    request := pgvec.vector_request(query_embedding, depth, wanted, match_threshold, case when target.source is null then target.name else pgvec.model_name(target) end,
                                    scope.tenants[1], candidates.distance, scope);
    target := request.collection;
    nearest := pgvec.nearest(request);
    route := nearest.route;
    hits := array(
      select (h.id, null, s.similarity, null, null, null)::pgvec.fused
        from unnest(nearest.hits) as h
       cross join lateral (select case request.distance when 'cosine' then 1 - h.distance when 'inner_product' then - h.distance else 1 / (1 + h.distance) end as similarity) as s
       where match_threshold is null or s.similarity >= match_threshold
       order by h.distance, h.id
       limit depth);
    if not by_keyword then
      return;
    end if;
    ids := array(select h.id from unnest(hits) as h);
  end if;

  request.query := query;
  request.ranking := candidates.ranking;
  request.wanted := depth;
  select w.condition, w.bound into request.condition, request.bound from pgvec.filter_condition(target, pgvec.with_text(wanted, query.phrases), request.tenants) as w;
  scored := pgvec.keyword_hits(request);  -- within a query, the planner would run it as well
  if cardinality(scored) < (target.settings ->> 'fuzzy_below')::int and (scope.reading -> 'fuzzy') is null then
    query := pgvec.keyword_query(target.name, query_text, scope.tenants[1], coalesce(scope.reading, '{}') || '{"fuzzy": true}');
    request.query := query;
    scored := pgvec.keyword_hits(request);
  end if;
  if scored = '{}' and query.phrases is not null then
    select w.condition, w.bound into request.condition, request.bound from pgvec.filter_condition(target, wanted, request.tenants) as w;
    scored := pgvec.keyword_hits(request);
    if scored <> '{}' then
      raise notice using
        message = format('no row has the phrase %s: rows with its words are found', query.phrases),
        hint    = 'syntax => ''plain'' takes quotes for punctuation';
    end if;
  end if;
  if not by_vector then
    hits := array(select (k.id, null, null, k.score, null, null)::pgvec.fused from unnest(scored) as k);
    return;
  end if;
  ids := ids || array(select k.id from unnest(scored) as k);

  execute format(
    $query$
    select array_agg((d.id, null, case $1 when 'cosine' then 1 - d.distance when 'inner_product' then - d.distance else 1 / (1 + d.distance) end, d.keyword_score, null, null)::pgvec.fused order by d.id)
      from (select d.id, nullif(d.embedding operator(extensions.%s) $3::extensions.%s, 'nan') as distance, %s as keyword_score
              from (select distinct u.id from unnest($2) as u (id)) as i
              join %s as d on d.id = i.id) as d
    $query$,
    pgvec.distance_operator(target.distance), target.storage, pgvec.keyword_score(request.ranking), pgvec.rows_of(request, by_key => 'i.id'))
    into hits
    using target.distance, ids, query_embedding, query.weights, query.words;
  hits := coalesce(hits, '{}');
end
$$;
comment on function pgvec.candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean) is
  'hits: the depth best rows by vector (those that match_documents finds), by keyword (pgvec.keyword_hits), or of both, each with similarity and keyword_score; a '
  'side that is not asked leaves its score null. similarity is null where a row has no embedding; keyword_score is 0 where it has none of the words. scope: from '
  'pgvec.scoped, for one tenant where rows belong to tenants. query: the parsed query_text. route: from pgvec.nearest. Errors as match_documents.';
revoke all on function pgvec.candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.candidates(pgvec.search_request, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean)', 'reader');
