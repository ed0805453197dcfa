-- pgvec.verify_bloat -- vector indexes that are larger than their rows need.
-- HNSW reuses the space of deleted rows only after a vacuum, and never shrinks. The size of a new one is predicted to a
-- hundredth (pgvec.index_memory); its m is read from the index itself. Rebuilding one takes hours and memory, so nothing does
-- it unasked.
create or replace function pgvec.verify_bloat(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  too_large constant float8 := 2;
  worth     constant bigint := 1048576;  -- bytes; less does not matter
  target    pgvec.collections := pgvec.collection(verify_bloat.collection);
begin
  return query
    with sizes as (
           select v.name, v.size_bytes, n.index_bytes
             from pgvec.vector_indexes(target.name) as v
            cross join lateral pgvec.index_memory(
                    'hnsw', v.storage, target.dimensions, greatest(pgvec.estimate_rows(target), 0), coalesce(substring(v.definition from 'm=''?(\d+)')::int, 16)) as n
            where v.method = 'hnsw' and v.valid)
    select (pgvec.verdict(
             target.name, 'bloated index',
             coalesce(array_agg(format('%s is %s, and rebuilt would be %s', s.name, pg_size_pretty(s.size_bytes), pg_size_pretty(s.index_bytes::bigint)))
                        filter (where s.size_bytes > too_large * s.index_bytes + worth), '{}'),
             coalesce(string_agg(format('%s is %s, as its rows need', s.name, pg_size_pretty(s.size_bytes)), ', '), 'there is none'),
             'reindex index concurrently, with maintenance_work_mem as pgvec-admin index plan says',
             severity => 'warn')).*
      from sizes as s;
end
$$;
comment on function pgvec.verify_bloat(text) is
  'Check bloated index: HNSW indexes of a collection more than twice as large as they would be after a rebuild. Raises PV001.';
revoke all on function pgvec.verify_bloat(text) from public;
