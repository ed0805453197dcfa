-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.vector_request checks the arguments, pgvec.nearest searches; where rows belong to tenants and policies hold for the
-- caller, pgvec.found_documents does both for each tenant, unless one look along the index finds enough.
-- A look along the index is the first step of pgvec.nearest where all rows are searched, or those of a tenant that has most of them, and mostly the
-- only one. It is written out here, since a small search pays for each query: one finds and reads the rows, and loops keep and return them.
-- Policies have a condition on tenants that the primary key serves, and without statistics of tenants the planner takes any for small: it may not sort.
-- Settings are assigned, since PERFORM is a query.
-- The threshold is applied to the rows found: inside the ordered LIMIT, an iterative scan would walk the whole index for rows beyond it.
create or replace function public.match_documents(
    query_embedding extensions.vector,
    match_count int default null,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null,
    distance text default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started   constant timestamptz := clock_timestamp();
  request   constant pgvec.search_request := pgvec.vector_request(
             query_embedding, match_count, filter, match_threshold, coalesce(match_documents.collection, 'documents'), for_tenant, match_documents.distance);
  target    constant pgvec.collections := request.collection;
  shared    constant boolean := request.share is not null;  -- with other tenants, and most rows are this one's: ef_search grows with the rows of others
  sorting   text;
  ef_before text;
  ef_search text;
  nearest   record;
  route     text := case when request.alone then 'index' else 'tenant' end;
  hit       pgvec.hit;
  hits      pgvec.hit[];
  farthest  float8 := '-infinity'::float8;
  ascending boolean := true;  -- hits are, and no two are equally far
  complete  boolean;          -- no more has to be looked for
  returned  int := 0;
  best      float8;
begin
  if target.search_kind = 'column' and target.search_method = 'hnsw' and (shared or request.alone and request.condition = '') then
    ef_before := coalesce(current_setting('hnsw.ef_search', true), '40');
    ef_search := least(1000, ceil(greatest(request.wanted + 1, coalesce((target.settings ->> 'ef_search')::int, (target.settings ->> 'default_ef_search')::int, 40))
                                  / coalesce(request.share, 1)));
    if ef_search <> ef_before then
      ef_search := set_config('hnsw.ef_search', ef_search, true);
    end if;
    if not request.alone then
      sorting := nullif(current_setting('enable_sort'), set_config('enable_sort', 'off', true));
    end if;
    for hit in execute format(target.search_query, coalesce(target.plain_source, target.relation::text),
                              case when shared then format('coalesce(d.tenant_id = %L, false)', request.tenants[1]) else 'true' end)
      using query_embedding, request.bound, request.wanted + 1 loop
      ascending := ascending and hit.distance > farthest;
      farthest := hit.distance;
      hits := hits || hit;
    end loop;
    if sorting is not null then
      sorting := set_config('enable_sort', sorting, true);
    end if;
    if ef_search <> ef_before then
      ef_before := set_config('hnsw.ef_search', ef_before, true);
    end if;
    complete := cardinality(hits) >= request.wanted + shared::int and farthest < 'nan'
                and (ascending or not shared or current_setting('hnsw.iterative_scan', true) <> 'relaxed_order')
                and (hits[request.wanted]).distance is distinct from (hits[request.wanted + 1]).distance;
  end if;
  if request.alone and complete is not true then
    nearest := pgvec.nearest(request);
    route := nearest.route;
    hits := nearest.hits;
    ascending := false;
    complete := true;
  end if;

  if complete then
    if not ascending then
      hits := array(select h from unnest(hits) as h order by h.distance, h.id);
    end if;
    foreach hit in array hits loop
      id := hit.id;
      content := hit.content;
      metadata := hit.metadata;
      similarity := case request.distance when 'cosine' then 1 - hit.distance when 'inner_product' then - hit.distance else 1 / (1 + hit.distance) end;
      exit when returned = request.wanted or similarity < match_threshold;
      returned := returned + 1;
      best := greatest(best, similarity);
      return next;
    end loop;
  else
    for id, content, metadata, similarity, route in
      select t.id, t.content, t.metadata, t.similarity, t.route from pgvec.found_documents(request, filter) as t order by t.similarity desc, t.id, t.tenant limit request.wanted
    loop
      returned := returned + 1;
      best := greatest(best, similarity);
      return next;
    end loop;
  end if;

  if random() < target.log_sample then
    perform pgvec.log_search(
      target.name, 'match_documents', coalesce(route, 'tenant'), request.wanted, returned, started, best, for_tenant, filter, null, query_embedding);
  end if;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id: always as many as there are. '
  'match_count: by default the setting match_count of the collection, 1000 without one. '
  'filter: an object that metadata must contain, and operators such as {"year": {"$gte": 2020}} (pgvec.filter_operators has them). '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan unless it has an index of its own. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Runs as the caller, under the caller''s row level security. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
