-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.search_steps says how: along an index, where that is quick and finds enough, and by an exact scan where it does
-- not, so that there are never fewer rows than there could be.
-- One row more than wanted is read. Where it is as far as the last wanted one, more are read until the tie at the limit
-- is whole, so that the rows returned do not depend on the order in which an index happens to meet them. Over a
-- quantized index more candidates are read, and ordered by their true distance.
-- The threshold is applied to the rows found: inside the ordered limit, an iterative scan would walk the whole index for
-- rows beyond it.
-- One query finds the rows and reads them: a second one for that cost half the time of the bare query.
-- The SET clauses are there so that the settings made inside end with the function, not with the caller's transaction.
create or replace function public.match_documents(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null,
    distance text default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set hnsw.max_scan_tuples = 20000
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set jit = off
as $$
declare
  target     pgvec.collections := pgvec.collection(coalesce(match_documents.collection, 'documents'));
  measure    text := coalesce(match_documents.distance, target.distance);
  wanted     int := pgvec.clamp_count(match_count, 100);
  condition  text := '';
  bound      jsonb;
  within     record;
  step       pgvec.search_step;
  tied       boolean := false;
  ids        text[];
  contents   text[];
  metadatas  jsonb[];
  distances  float8[];
begin
  perform pgvec.check_query_embedding(target, query_embedding);
  if match_documents.distance is not null then
    perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
  end if;
  if match_threshold is not null then
    perform pgvec.check_threshold(measure, match_threshold);
  end if;
  if for_tenant is not null then
    perform pgvec.check_tenant(target, for_tenant);
  end if;

  if filter <> '{}' then
    within := pgvec.filter_condition(target, filter);
    condition := within.condition;
    bound := within.bound;
  end if;

  if target.settings ? 'probes' then
    perform set_config('ivfflat.probes', target.settings ->> 'probes', true);
  end if;

  foreach step in array pgvec.search_steps(target, measure, wanted, condition, bound) loop
    continue when step.after_tie and not tied;
    if step.kind is null then
      return query execute format(
        $query$
        select q.id, q.content, q.metadata, pgvec.similarity($4, q.distance)
          from (%s) as q
         where $5 is null
            or pgvec.similarity($4, q.distance) >= $5
        $query$,
        pgvec.vector_query(target, measure, condition, null))
        using query_embedding, bound, wanted, measure, match_threshold;
      return;
    end if;

    perform set_config('hnsw.ef_search', step.ef_search::text, true);
    if condition <> '' then
      perform set_config('hnsw.iterative_scan', step.iterative_scan, true);
      perform set_config('ivfflat.iterative_scan', step.iterative_scan, true);
      perform set_config('hnsw.max_scan_tuples', step.scan_tuples::text, true);
    end if;

    -- "+ 0", since a relaxed scan is not quite in the order that the planner takes it to have
    execute format(
      $query$
      select coalesce(array_agg(n.id), '{}'), array_agg(n.content), array_agg(n.metadata), array_agg(n.distance)
        from (select q.* from (%s) as q order by q.distance + 0, q.id) as n
      $query$,
      pgvec.vector_query(target, measure, condition, step.kind))
      into ids, contents, metadatas, distances
      using query_embedding, bound, step.read_rows;

    tied := cardinality(ids) = step.read_rows and distances[wanted] = distances[step.read_rows];
    exit when cardinality(ids) >= step.enough and not tied;
  end loop;

  return query
    select n.id, n.content, n.metadata, pgvec.similarity(measure, n.distance)
      from unnest(ids[:wanted], contents[:wanted], metadatas[:wanted], distances[:wanted]) as n (id, content, metadata, distance)
     where match_threshold is null
        or pgvec.similarity(measure, n.distance) >= match_threshold;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id: always as many as there are. '
  'filter: an object that metadata must contain, and operators such as {"year": {"$gte": 2020}} (pgvec.compile_filter lists them). '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan unless it has an index of its own. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Runs as the caller, under the caller''s row level security. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
