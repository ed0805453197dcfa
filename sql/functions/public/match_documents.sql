-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.vector_request checks the arguments, pgvec.nearest searches; where rows belong to tenants and policies hold for the
-- caller, pgvec.found_documents does both for each tenant.
-- A look along the index is the first step of pgvec.nearest where all rows are searched, and mostly the only one. It is written out here, since
-- a small search pays for each query: one finds and reads the rows, and loops keep and return them.
-- The threshold is applied to the rows found: inside the ordered LIMIT, an iterative scan would walk the whole index for
-- rows beyond it.
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
  ef_before text;
  ef_search text;
  nearest   record;
  route     text := 'index';
  hit       pgvec.hit;
  hits      pgvec.hit[];
  farthest  float8 := '-infinity'::float8;
  ascending boolean := true;   -- hits are, and no two are equally far
  complete  boolean := false;  -- no more has to be looked for
  returned  int := 0;
  best      float8;
begin
  if request.alone and request.condition = '' and target.search_kind = 'column' and target.search_method = 'hnsw' then
    ef_before := coalesce(current_setting('hnsw.ef_search', true), '40');
    ef_search := least(1000, greatest(request.wanted + 1, coalesce((target.settings ->> 'ef_search')::int, (target.settings ->> 'default_ef_search')::int, 40)));
    if ef_search <> ef_before then
      perform set_config('hnsw.ef_search', ef_search, true);
    end if;
    for hit in execute format(target.search_query, coalesce(target.plain_source, target.relation::text), 'true')
      using query_embedding, request.bound, request.wanted + 1 loop
      ascending := ascending and hit.distance > farthest;
      farthest := hit.distance;
      hits := hits || hit;
    end loop;
    if ef_search <> ef_before then
      perform set_config('hnsw.ef_search', ef_before, true);
    end if;
    complete := cardinality(hits) >= request.wanted and farthest < 'nan' and (hits[request.wanted]).distance is distinct from (hits[request.wanted + 1]).distance;
  end if;
  if request.alone and request.condition = 'true' and cardinality(request.tenants) = 1 then
    hits := pgvec.look_in_tenant(target, request.tenants[1], query_embedding, request.wanted);
    complete := hits is not null;
    ascending := false;
  end if;
  if request.alone and complete is not true then
    nearest := pgvec.nearest(request);
    route := nearest.route;
    hits := nearest.hits;
    ascending := false;
  end if;

  if request.alone and ascending then
    foreach hit in array hits loop
      id := hit.id;
      content := hit.content;
      metadata := hit.metadata;
      similarity := case request.distance when 'cosine' then 1 - hit.distance when 'inner_product' then - hit.distance else 1 / (1 + hit.distance) end;
      exit when returned = request.wanted or similarity < match_threshold;
      returned := returned + 1;
      return next;
    end loop;
  elsif request.alone then
    return query
      select s.id, s.content, s.metadata, s.similarity
        from (select h.*, case request.distance when 'cosine' then 1 - h.distance when 'inner_product' then - h.distance else 1 / (1 + h.distance) end as similarity
                from unnest(hits) as h) as s
       where match_threshold is null or s.similarity >= match_threshold
       order by s.distance, s.id
       limit request.wanted;
    get diagnostics returned = row_count;
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
    if request.alone and returned > 0 then
      best := pgvec.similarity(request.distance, (select min(h.distance) from unnest(hits) as h));
    end if;
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
