-- pgvec.measure_recall -- recall and latency of searches with given settings of their collection.
-- The settings are put into the requests: nothing is written to the registry, where a lock would keep writers from counting.
-- pgvec.nearest answers, as it does for match_documents.
create or replace function pgvec.measure_recall(
    settings jsonb, ids text[], requests pgvec.search_request[], expected jsonb, until timestamptz,
    out recall float8, out p50_ms float8, out p95_ms float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request;
  target  pgvec.collections;
  nearest record;
  found   text[];
  started timestamptz;
  times   float8[] := array[]::float8[];
  hits    int := 0;
  wanted  int := 0;
begin
  for i in 1 .. cardinality(ids) loop
    exit when clock_timestamp() > until and i > 1;
    request := requests[i];
    target := request.collection;
    target.settings := target.settings || measure_recall.settings;
    request.collection := target;
    started := clock_timestamp();
    nearest := pgvec.nearest(request);
    times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
    found := array(select h.id from unnest(nearest.hits) as h where h.id <> ids[i] order by h.distance, h.id limit request.wanted - 1);
    hits := hits + (select count(*) from jsonb_array_elements_text(expected -> i - 1) as e where e.value = any (found));
    wanted := wanted + jsonb_array_length(expected -> i - 1);
  end loop;
  recall := hits / nullif(wanted, 0)::float8;
  select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
    from unnest(times) as t;
end
$$;
comment on function pgvec.measure_recall(jsonb, text[], pgvec.search_request[], jsonb, timestamptz) is
  'Recall of the requests of pgvec.sample_queries with these settings added to those of their collection, and their latency in ms on the server. Stops when the time '
  'is over, after one of them at least.';
revoke all on function pgvec.measure_recall(jsonb, text[], pgvec.search_request[], jsonb, timestamptz) from public;
