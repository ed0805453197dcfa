-- pgvec.bench_index -- recall and latency of one kind of vector index, over the rows of pgvec.prepare_bench.
-- The query is that of match_documents. Each setting is measured in a second round; the first warms the cache.
create or replace function pgvec.bench_index(
    collection text,
    method text,
    storage text default null,
    values_to_try int[] default null,
    m int default 16,
    ef_construction int default 64)
  returns table (parameter text, value int, recall float8, p50_ms float8, p95_ms float8, index_bytes bigint, build_seconds float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set enable_seqscan = on
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(bench_index.collection);
  row_count bigint;
  lists     int;
  kind      text;
  statement text;
  query     record;
  wanted    int;
  started   timestamptz;
  found     text[];
  times     float8[];
  hits      int;
begin
  if to_regclass('pg_temp.pgvec_bench_rows') is null then
    raise exception using
      errcode = 'PV004',
      message = 'there are no rows to measure on',
      hint    = format('select * from pgvec.prepare_bench(%L) first, in the same session', target.name);
  end if;
  row_count := (select count(*) from pg_temp.pgvec_bench_rows);
  lists := pgvec.default_lists(row_count);
  wanted := (select max(cardinality(q.expected)) from pg_temp.pgvec_bench_queries as q);
  target.source := null;
  target.plain_source := null;
  target.relation := 'pg_temp.pgvec_bench_rows'::regclass;
  if method is distinct from 'exact' then
    parameter := case method when 'hnsw' then 'ef_search' else 'probes' end;
    kind := case when pgvec.index_storage(target, storage) = target.storage then 'column' else storage end;
    started := clock_timestamp();
    execute 'create index pgvec_bench_idx on pg_temp.pgvec_bench_rows '
      || pgvec.index_clause(target, 'embedding', method, storage, m, ef_construction, lists);
    build_seconds := extract(epoch from clock_timestamp() - started);
    -- with a large ef_search the planner would choose to read the whole table
    perform set_config('enable_seqscan', 'off', true);
    index_bytes := pg_relation_size('pg_temp.pgvec_bench_idx'::regclass);
  end if;

  statement := format('select array(select q.id from (%s) as q order by q.distance + 0, q.id limit $4)', pgvec.vector_query(target, target.distance, '', kind));
  for value in
    select v
      from unnest(case method
                    when 'exact' then '{null}'::int[]
                    when 'hnsw' then coalesce(values_to_try, '{10,20,40,80,160,320,640,1000}')
                    else coalesce(values_to_try, '{1,2,4,8,16,32,64,128}')
                  end) as v
     where method <> 'ivfflat' or v <= greatest(lists, 1)
  loop
    if method = 'hnsw' then
      perform set_config('hnsw.ef_search', value::text, true);
    elsif method = 'ivfflat' then
      perform set_config('ivfflat.probes', value::text, true);
    end if;
    for round in 1 .. 2 loop
      times := '{}';
      hits := 0;
      for query in
        select q.embedding, q.expected from pg_temp.pgvec_bench_queries as q
      loop
        started := clock_timestamp();
        execute statement
          into found
          using query.embedding, null::jsonb, pgvec.read_rows(target, kind, wanted), wanted;
        times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
        hits := hits + (select count(*) from unnest(query.expected) as e where e = any (found));
      end loop;
    end loop;
    recall := hits / nullif((select sum(cardinality(q.expected)) from pg_temp.pgvec_bench_queries as q), 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    return next;
  end loop;

  if method <> 'exact' then
    drop index pg_temp.pgvec_bench_idx;
  end if;
end
$$;
comment on function pgvec.bench_index(text, text, text, int[], int, int) is
  'Builds a vector index (hnsw or ivfflat over vector, halfvec or binary; exact for none) over the rows of pgvec.prepare_bench and measures recall and latency in '
  'ms on the server for each ef_search or probes. Also returns the size of the index and the seconds that one process took to build it.';
revoke all on function pgvec.bench_index(text, text, text, int[], int, int) from public;
