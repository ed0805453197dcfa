-- pgvec.recall_curve -- recall and latency of the index that searches of a collection use, for growing ef_search (hnsw) or
-- probes (ivfflat).
-- The query is the one that match_documents runs, with sampled rows as queries; each query's own row is excluded. Reads only,
-- unlike pgvec.tune. Not for collections with tenants: of a tenant's few rows an index may find any number.
create or replace function pgvec.recall_curve(collection text, queries int default 50, seconds float8 default 10, match_count int default 10)
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = off
  set hnsw.ef_search = 40
  set ivfflat.probes = 1
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(recall_curve.collection);
  serving   record := pgvec.index_kind(target, target.distance);
  until     timestamptz := clock_timestamp() + make_interval(secs => seconds);
  statement text := format('select array(select q.id from (%s) as q order by q.distance + 0, q.id limit $4)',
                           pgvec.vector_query(target, target.distance, '', serving.kind));
  scan      text := format('select array(select q.id from (%s) as q)', pgvec.vector_query(target, target.distance, '', null));
  drawn     extensions.vector[] := array[]::extensions.vector[];
  expected  jsonb[] := array[]::jsonb[];
  one       extensions.vector;
  started   timestamptz;
  found     text[];
  times     float8[];
  hits      int;
begin
  if serving.kind is null or target.access = 'tenant' then
    return;
  end if;
  for one in execute format('select d.embedding::extensions.vector from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit %s',
                            pgvec.sample_of(target, 10 * queries), queries)
  loop
    execute scan into found using one, null::jsonb, match_count + 1;
    drawn := drawn || one;
    expected := expected || to_jsonb(found);
    exit when clock_timestamp() > until - make_interval(secs => seconds / 2);
  end loop;

  setting := case serving.method when 'hnsw' then 'ef_search' else 'probes' end;
  for value in
    select v from unnest(case serving.method when 'hnsw' then '{10,20,40,80,160,320,640}'::int[] else '{1,2,4,8,16,32,64}' end) as v
  loop
    exit when clock_timestamp() > until and p50_ms is not null;
    perform set_config(case serving.method when 'hnsw' then 'hnsw.ef_search' else 'ivfflat.probes' end, value::text, true);
    times := '{}';
    hits := 0;
    for i in 1 .. cardinality(drawn) loop
      started := clock_timestamp();
      execute statement
        into found
        using drawn[i], null::jsonb, match_count + case serving.kind when 'binary' then 20 * match_count else 1 end, match_count + 1;
      times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
      hits := hits + greatest(0, (select count(*) from jsonb_array_elements_text(expected[i]) as e where e.value = any (found)) - 1);
    end loop;
    recall := hits / nullif((select sum(greatest(0, jsonb_array_length(e) - 1)) from unnest(expected) as e), 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    return next;
  end loop;
end
$$;
comment on function pgvec.recall_curve(text, int, float8, int) is
  'Recall@match_count against exact scans, and latency in ms on the server, of the query that match_documents runs over its index, for growing ef_search or probes, '
  'with so many sampled rows as queries, until the seconds are over. No rows without an index, and for a collection with tenants. Raises PV001.';
revoke all on function pgvec.recall_curve(text, int, float8, int) from public;
