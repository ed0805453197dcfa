-- pgvec.vector_candidates -- ids and distances of the nearest rows of a collection, best first, ties by id.
-- The index is walked iteratively until the limit is filled; where that falls short (an index gives up after
-- hnsw.max_scan_tuples), the rows are scanned exactly: never fewer rows than there are.
-- The SET clauses are there so that the settings made inside end with the function, not with the caller's transaction.
create or replace function pgvec.vector_candidates(
    collection pgvec.collections,
    query_embedding extensions.vector,
    distance text,
    containment jsonb,
    match_count int)
  returns table (id text, distance_value float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
as $$
declare
  -- another distance than the collection's has no index of its own to trust
  exact boolean := distance <> collection.distance;
  ids text[];
  distances float8[];
begin
  perform pgvec.tune_scan(collection, match_count);

  for attempt in 1 .. 2 loop
    execute format(
      'select array_agg(n.id order by n.distance, n.id), array_agg(n.distance order by n.distance, n.id) from (%s) as n',
      pgvec.vector_query(collection, distance, containment <> '{}', exact))
      into ids, distances
      using query_embedding, containment, match_count;

    exit when exact or cardinality(ids) >= match_count
      or not exists (select from pgvec.vector_indexes(collection.name));
    exact := true;
  end loop;

  return query
    select n.id, n.value
      from unnest(ids, distances) as n (id, value);
end
$$;
comment on function pgvec.vector_candidates(pgvec.collections, extensions.vector, text, jsonb, int) is
  'The min(match_count, matches) rows nearest to a vector whose metadata contains an object: id and distance, nearest first, ties by id. '
  'Runs as the caller, under the caller''s row level security.';
revoke all on function pgvec.vector_candidates(pgvec.collections, extensions.vector, text, jsonb, int) from public;
select pgvec.grant_execute('pgvec.vector_candidates(pgvec.collections, extensions.vector, text, jsonb, int)', 'reader');
