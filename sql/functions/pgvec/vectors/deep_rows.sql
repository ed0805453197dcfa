-- pgvec.deep_rows -- the rows of a step of a search that takes its time: an exact scan of many rows, a long walk through an
-- hnsw index, any through an ivfflat one.
-- Each setting of a function costs each of its calls 15 microseconds, so those that only such steps need are here. The
-- SET clauses are there so that what is set inside ends with the function.
drop function if exists pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step);
drop function if exists pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step, text);

create or replace function pgvec.deep_rows(request pgvec.search_request, step pgvec.search_step, searched text)
  returns setof pgvec.hit
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.ef_search = 40
  set hnsw.iterative_scan = relaxed_order
  set hnsw.max_scan_tuples = 20000
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set jit = off
as $$
begin
  if step.kind is not null then
    perform set_config('hnsw.ef_search', step.ef_search::text, true);
    perform set_config('hnsw.iterative_scan', step.iterative_scan, true);
    perform set_config('hnsw.max_scan_tuples', step.scan_tuples::text, true);
    perform set_config('ivfflat.iterative_scan', step.iterative_scan, true);
    perform set_config('ivfflat.probes', coalesce((request.collection).settings ->> 'probes', '10'), true);
  end if;
  return query execute pgvec.vector_query(request.collection, request.distance, request.condition, step.kind, searched)
    using request.query_embedding, request.bound, step.read_rows;
end
$$;
comment on function pgvec.deep_rows(pgvec.search_request, pgvec.search_step, text) is
  'The rows that a step of pgvec.search_steps reads, with the settings of hnsw and ivfflat that it wants, and without jit. searched: the FROM item to read. '
  'Setting of the collection: probes (default 10).';
revoke all on function pgvec.deep_rows(pgvec.search_request, pgvec.search_step, text) from public;
select pgvec.grant_execute('pgvec.deep_rows(pgvec.search_request, pgvec.search_step, text)', 'reader');
