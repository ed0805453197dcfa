-- pgvec.verify_search -- whether searches of a collection use its index, find what an exact scan finds, and how long they take.
-- Sampled rows are the queries, through the functions that clients call, by exact signature; each query's own row is excluded.
-- It stops at the wanted number of queries, or when the time is over.
create or replace function pgvec.verify_search(
    collection text, seconds float8 default 10, wanted_recall float8 default 0.98, queries int default 200, slow_ms float8 default 200)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_scanned constant float8 := 25000;  -- rows that an exact scan still reads quickly
  depth     constant int := 10;
  target    pgvec.collections := pgvec.of_model(verify_search.collection);
  name      constant text := pgvec.model_name(target);
  within    pgvec.search_request;
  until     timestamptz := clock_timestamp() + make_interval(secs => seconds);
  drawn     record;
  explained record;
  started   timestamptz;
  expected  text[];
  found     text[];
  hits      bigint := 0;
  wanted    bigint := 0;
  tried     int := 0;
  vector_ms  float8[] := array[]::float8[];
  keyword_ms float8[] := array[]::float8[];
  hybrid_ms  float8[] := array[]::float8[];
  words     text;
  logging   constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  perform set_config('pgvec.search_log', 'off', true);  -- not users' searches: do not log them
  for drawn in execute format(
    'select d.embedding::extensions.vector as embedding, d.content, %s as tenant from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit %s',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, pgvec.sample_of(target, 10 * queries), queries)
  loop
    exit when clock_timestamp() > until and tried > 0;
    if tried = 0 then
      select e.route, e.index into explained from pgvec.explain_search(name, drawn.embedding, depth, for_tenant => drawn.tenant) as e;
      return next pgvec.verdict(
        target.name, 'plan',
        array_remove(array[
          case when explained.index is null and explained.route ~ 'index' and pgvec.estimate_rows(target) > most_scanned
               then format('the plan of a search does not use %s', coalesce(target.search_index, 'its index')) end], null),
        case when explained.route ~ 'index' and explained.index is not null then format('match_documents uses %s', explained.index) else 'match_documents scans so few rows exactly' end,
        'select plan from pgvec.explain_search(...) shows it: look for settings of the planner, and stale statistics');
    end if;
    tried := tried + 1;

    started := clock_timestamp();
    found := array(select m.id from public.match_documents(drawn.embedding, depth + 1, '{}'::jsonb, null::float8, name, drawn.tenant, null::text) as m);
    vector_ms := vector_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
    within.collection := target;
    within.tenants := case when drawn.tenant is not null then array[drawn.tenant] end;
    execute format('select array(select q.id from (%s) as q)', pgvec.vector_query(target, target.distance, '', null, pgvec.rows_of(within)))
      into expected
      using drawn.embedding, null::jsonb, depth + 1;
    wanted := wanted + greatest(0, cardinality(expected) - 1);
    hits := hits + greatest(0, (select count(*) from unnest(expected) as e where e = any (found)) - 1);

    words := array_to_string((regexp_split_to_array(left(drawn.content, 400), '\s+'))[:8], ' ');
    started := clock_timestamp();
    perform from public.keyword_search(words, depth, '{}'::jsonb, 'bm25'::text, target.name, drawn.tenant, false, null::float8, null::text, null::text, null::text, false, false);
    keyword_ms := keyword_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
    started := clock_timestamp();
    perform from public.hybrid_search(words, drawn.embedding, depth, 1::float8, 1::float8, null::int, null::text, '{}'::jsonb, null::float8, 'bm25'::text,
                                      name, drawn.tenant, 100, null::text, null::float8, null::text, null::interval, false, null::text, false, false);
    hybrid_ms := hybrid_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
  if tried = 0 then
    return next pgvec.verdict(target.name, 'recall', '{}', 'there are no embeddings to search by');
    return;
  end if;

  return next pgvec.verdict(
    target.name, 'recall',
    array_remove(array[case when hits < wanted_recall * wanted then format('recall@%s %s over %s sampled queries (wanted %s)', depth, round(hits / wanted::numeric, 3), tried, wanted_recall) end], null),
    format('recall@%s %s over %s sampled queries (wanted %s)', depth, coalesce(round(hits / nullif(wanted, 0)::numeric, 3), 1), tried, wanted_recall),
    format('pgvec-admin index tune %s --recall %s; an index degraded by updates: reindex index concurrently', target.name, wanted_recall));
  return query
    with percentiles as (
           select l.mode,
                  percentile_cont(0.5) within group (order by t.ms) as p50,
                  percentile_cont(0.95) within group (order by t.ms) as p95
             from (values (1, 'vector', vector_ms[least(2, tried):]), (2, 'keyword', keyword_ms[least(2, tried):]), (3, 'hybrid', hybrid_ms[least(2, tried):])) as l (place, mode, times)
            cross join lateral unnest(l.times) as t (ms)
            group by l.place, l.mode
            order by l.place)
    select (pgvec.verdict(
             target.name, 'latency',
             coalesce(array_agg(format('%s p95 %s ms', mode, round(p95::numeric, 1))) filter (where p95 > slow_ms), '{}'),
             string_agg(format('%s p50 %s p95 %s ms', mode, round(p50::numeric, 1), round(p95::numeric, 1)), ', '),
             format('select * from pgvec.explain_search(%L, ...) tells why', target.name), severity => 'warn')).*
      from percentiles;
end
$$;
comment on function pgvec.verify_search(text, float8, float8, int, float8) is
  'Checks searches of a collection, with sampled rows as queries (at most so many, and until the seconds are over): plan (the index is used), recall (recall@10 of '
  'match_documents against exact scans is at least wanted_recall) and latency (p95 in ms on the server of vector, keyword and hybrid search is at most slow_ms). '
  'Raises PV001.';
revoke all on function pgvec.verify_search(text, float8, float8, int, float8) from public;
