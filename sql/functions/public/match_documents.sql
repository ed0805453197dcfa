-- match_documents -- the rows of a collection nearest to a query vector.
-- The index is walked iteratively until the limit is filled; where that falls short (an index gives up after
-- hnsw.max_scan_tuples), the rows are scanned exactly: never fewer rows than there are.
-- One row more than wanted is read. Where it is as far as the last wanted one, more are read until the tie at the limit
-- is whole, so that the rows returned do not depend on the order in which an index happens to meet them.
-- The threshold is applied to the rows found: inside the ordered limit, an iterative scan would walk the whole index for
-- rows beyond it.
-- One function and one query, and no call for what was not given: a second query to read the rows found cost half the
-- time of the bare query, an engine function between a fifth.
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
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
as $$
declare
  target    pgvec.collections := pgvec.collection(coalesce(match_documents.collection, 'documents'));
  measure   text := coalesce(match_documents.distance, target.distance);
  wanted    int := pgvec.clamp_count(match_count, 100);
  read_rows int := wanted + 1;
  within    jsonb := '{}';
  -- another distance than the collection's has no index of its own to trust
  exact     boolean := measure <> target.distance;
  ids       text[];
  contents  text[];
  metadatas jsonb[];
  distances float8[];
begin
  perform pgvec.check_query_embedding(target, query_embedding);
  if filter <> '{}' then
    within := pgvec.containment(filter);
  end if;
  if match_documents.distance is not null then
    perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
  end if;
  if match_threshold is not null then
    perform pgvec.check_threshold(measure, match_threshold);
  end if;
  if for_tenant is not null then
    perform pgvec.check_tenant(target, for_tenant);
  end if;
  perform pgvec.tune_scan(target, wanted);

  loop
    execute format(
      $query$
      select coalesce(array_agg(n.id), '{}'), array_agg(n.content), array_agg(n.metadata), array_agg(n.distance)
        from (select q.* from (%s) as q order by q.distance, q.id) as n
      $query$,
      pgvec.vector_query(target, measure, within <> '{}', exact))
      into ids, contents, metadatas, distances
      using query_embedding, within, read_rows;

    exit when exact;
    if cardinality(ids) < wanted then
      exit when not exists (select from pgvec.vector_indexes(target.name));
      exact := true;
    else
      exit when cardinality(ids) < read_rows or distances[wanted] < distances[read_rows];
      -- a tie at the limit: reading tenfold closes all but a flood of duplicates
      exact := read_rows > wanted + 1;
      read_rows := read_rows * 10;
    end if;
  end loop;

  return query
    select n.id, n.content, n.metadata, pgvec.similarity(measure, n.distance)
      from unnest(ids[:wanted], contents[:wanted], metadatas[:wanted], distances[:wanted]) as n (id, content, metadata, distance)
     where match_threshold is null
        or pgvec.similarity(measure, n.distance) >= match_threshold;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id. filter: an object that metadata must contain. '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Runs as the caller, under the caller''s row level security. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
