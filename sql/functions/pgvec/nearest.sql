-- pgvec.nearest -- the rows of a collection nearest to a vector, best first, ties by id.
-- The index is walked iteratively until the limit is filled; where that falls short (an index gives up after
-- hnsw.max_scan_tuples), the rows are scanned exactly: never fewer rows than there are.
-- One row more than wanted is read. Where it is as far as the last wanted one, more are read until the tie at the limit
-- is whole, so that the rows returned do not depend on the order in which an index happens to meet them.
-- One query finds the rows and reads them: planning a second one for the reading took a quarter of the time of a search.
-- The SET clauses are there so that the settings made inside end with the function, not with the caller's transaction.
create or replace function pgvec.nearest(
    collection pgvec.collections,
    query_embedding extensions.vector,
    distance text,
    containment jsonb,
    match_count int)
  returns table (id text, content text, metadata jsonb, distance_value float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
as $$
declare
  -- another distance than the collection's has no index of its own to trust
  exact     boolean := distance <> collection.distance;
  read_rows int := match_count + 1;
  ids       text[];
  contents  text[];
  metadatas jsonb[];
  distances float8[];
begin
  perform pgvec.tune_scan(collection, match_count);

  loop
    execute format(
      $query$
      select coalesce(array_agg(n.id), '{}'), array_agg(n.content), array_agg(n.metadata), array_agg(n.distance)
        from (select q.* from (%s) as q order by q.distance, q.id) as n
      $query$,
      pgvec.vector_query(collection, distance, containment <> '{}', exact))
      into ids, contents, metadatas, distances
      using query_embedding, containment, read_rows;

    exit when exact;
    if cardinality(ids) < match_count then
      exit when not exists (select from pgvec.vector_indexes(collection.name));
      exact := true;
    else
      exit when cardinality(ids) < read_rows or distances[match_count] < distances[read_rows];
      -- a tie at the limit: reading tenfold closes all but a flood of duplicates
      exact := read_rows > match_count + 1;
      read_rows := read_rows * 10;
    end if;
  end loop;

  return query
    select n.id, n.content, n.metadata, n.value
      from unnest(ids[:match_count], contents[:match_count], metadatas[:match_count], distances[:match_count])
        as n (id, content, metadata, value);
end
$$;
comment on function pgvec.nearest(pgvec.collections, extensions.vector, text, jsonb, int) is
  'The min(match_count, matches) rows nearest to a vector whose metadata contains an object, with their distances, nearest first, ties by id. '
  'Runs as the caller, under the caller''s row level security.';
revoke all on function pgvec.nearest(pgvec.collections, extensions.vector, text, jsonb, int) from public;
select pgvec.grant_execute('pgvec.nearest(pgvec.collections, extensions.vector, text, jsonb, int)', 'reader');
