-- pgvec.verify_memory -- maintenance_work_mem against what building the HNSW indexes needs, shared_buffers against their sizes.
-- pgvec-admin index create sets maintenance_work_mem by itself; a bare CREATE INDEX, a REINDEX and a restored dump do not.
create or replace function pgvec.verify_memory()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  setting constant bigint := pg_size_bytes(current_setting('maintenance_work_mem'));
  buffers constant bigint := pg_size_bytes(current_setting('shared_buffers'));
  needed  float8 := 0;
  largest text;
  held    bigint;
begin
  select n.build_bytes, c.name into needed, largest
    from pgvec.present_collections() as c
   cross join lateral (
           select v.storage from pgvec.vector_indexes(c.name) as v where v.method = 'hnsw' and v.valid
            order by v.size_bytes desc limit 1) as i
   cross join lateral pgvec.index_memory('hnsw', i.storage, c.dimensions, greatest(pgvec.estimate_rows(c), 0)) as n
   order by n.build_bytes desc nulls last
   limit 1;
  return next pgvec.verdict(
    'server', 'maintenance_work_mem',
    array_remove(array[case when needed > setting then
      format('maintenance_work_mem is %s, the HNSW index of %s needs %s to be built', pg_size_pretty(setting), largest, pg_size_pretty(needed::bigint)) end], null),
    format('maintenance_work_mem %s is enough to build each index', pg_size_pretty(setting)),
    format('pgvec-admin index plan %s; pgvec-admin index create sets it for a build', largest), severity => 'warn');

  select sum(v.size_bytes) into held
    from pgvec.present_collections() as c
   cross join lateral pgvec.vector_indexes(c.name) as v;
  return next pgvec.verdict(
    'server', 'shared_buffers',
    array_remove(array[case when held > buffers then
      format('vector indexes are %s, shared_buffers %s', pg_size_pretty(held), pg_size_pretty(buffers)) end], null),
    format('vector indexes are %s, shared_buffers %s', pg_size_pretty(coalesce(held, 0)), pg_size_pretty(buffers)),
    'more shared_buffers; or smaller indexes: pgvec-admin index plan', severity => 'warn');
end
$$;
comment on function pgvec.verify_memory() is
  'Checks maintenance_work_mem (against what building the largest HNSW index needs) and shared_buffers (against the size of all vector indexes together).';
revoke all on function pgvec.verify_memory() from public;
