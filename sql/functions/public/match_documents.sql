-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.vector_request checks the arguments, pgvec.nearest searches; where rows belong to tenants and policies hold for the
-- caller, pgvec.found_documents does both for each tenant.
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
  started  constant timestamptz := clock_timestamp();
  request  constant pgvec.search_request := pgvec.vector_request(
             query_embedding, match_count, filter, match_threshold, coalesce(match_documents.collection, 'documents'), for_tenant, match_documents.distance);
  nearest  record;
  route    text;
  returned int := 0;
  best     float8;
begin
  if request.alone then
    nearest := pgvec.nearest(request);
    return query
      select s.id, s.content, s.metadata, s.similarity
        from (select h.*, case request.distance when 'cosine' then 1 - h.distance when 'inner_product' then - h.distance else 1 / (1 + h.distance) end as similarity
                from unnest(nearest.hits) as h) as s
       where match_threshold is null or s.similarity >= match_threshold
       order by s.distance, s.id
       limit request.wanted;
  else
    for id, content, metadata, similarity, route in
      select t.id, t.content, t.metadata, t.similarity, t.route from pgvec.found_documents(request, filter) as t order by t.similarity desc, t.id, t.tenant limit request.wanted
    loop
      returned := returned + 1;
      best := greatest(best, similarity);
      return next;
    end loop;
  end if;

  if random() < (request.collection).log_sample then
    if request.alone then
      get diagnostics returned = row_count;  -- of the query above: an expression counts no rows
      route := nearest.route;
      if returned > 0 then
        best := pgvec.similarity(request.distance, (select min(h.distance) from unnest(nearest.hits) as h));
      end if;
    end if;
    perform pgvec.log_search(
      (request.collection).name, 'match_documents', coalesce(route, 'tenant'), request.wanted, returned, started, best, for_tenant, filter, null, query_embedding);
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
