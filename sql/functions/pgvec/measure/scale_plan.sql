-- pgvec.scale_plan -- what a collection takes at so many rows: disk, memory, time to build, partitions, servers, and why.
-- Bytes a row are those of the rows there are; an index is computed (pgvec.index_memory), the time of its build is that of a sample,
-- extrapolated. The index is the most exact one that a server holds in memory. Partitions are for tenants alone: another search reads all of them.
create or replace function pgvec.scale_plan(collection text, rows bigint, tenants bigint default null, memory bigint default null)
  returns table (what text, now float8, planned float8, unit text, why text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  least_recall constant float8 := 0.95;       -- of a binary index
  of_partition constant float8 := 1000000;    -- rows
  target   constant pgvec.collections := pgvec.collection(scale_plan.collection);
  given    record := pgvec.server_memory();
  budget   constant float8 := coalesce(memory, given.bytes);
  present  float8;
  sizes    record;
  fits     text;
  held     text;
  kind     text;
  bytes    float8;
  m        int;
  breadth  int;
  parts    int := 1;
  shards   int;
  piece    float8;  -- rows of one graph
  helpers  int := least(current_setting('max_parallel_maintenance_workers')::int, current_setting('max_parallel_workers')::int);
begin
  perform pgvec.check_count('rows', rows, 1, 1000000000000);
  perform pgvec.check_count('tenants', coalesce(tenants, 1), 1, rows);
  perform pgvec.check_count('memory', coalesce(memory, 1), 1, 9223372036854775807);
  execute format('select count(*) from %s as d where d.embedding is not null', coalesce(target.source, target.relation::text)) into present;
  if present < 100 then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has %s rows with a vector, too few to plan by', target.name, present),
      hint    = 'load some thousand rows of the kind first';
  end if;
  select sum(pg_table_size(p)) as table_bytes, sum(pg_indexes_size(p)) as indexes, coalesce((select sum(v.size_bytes) from pgvec.vector_indexes(target.name) as v), 0) as vectors,
         coalesce((select max(substring(v.definition from '\ym=''?(\d+)')::int) from pgvec.vector_indexes(target.name) as v), 16) as m,
         coalesce((select max(substring(v.definition from 'ef_construction=''?(\d+)')::int) from pgvec.vector_indexes(target.name) as v), 64) as breadth
    into sizes
    from pgvec.partitions(target.base) as p;
  m := sizes.m;
  breadth := sizes.breadth;
  parts := case when target.access <> 'tenant' then 1 else least(256, 2 ^ greatest(0, ceil(log(2, greatest(1, rows / of_partition)::numeric))))::int end;

  foreach kind in array '{vector,halfvec,binary}'::text[] loop
    continue when kind = 'vector' and (target.storage = 'halfvec' or target.dimensions > 2000) or kind = 'halfvec' and target.dimensions > 4000;
    continue when kind = 'binary' and (held is null or pgvec.quantization_recall(target.name, kind, 10) < least_recall) and target.dimensions <= 4000;
    held := kind;
    bytes := (pgvec.index_memory('hnsw', kind, target.dimensions, rows, m)).index_bytes;
    exit when bytes <= 0.75 * budget;
  end loop;
  shards := greatest(1, ceil(bytes / (0.75 * budget)));
  piece := ceil(rows::float8 / greatest(parts, shards));
  fits := format('%s of %s', pg_size_pretty((0.75 * budget)::bigint), case when memory is null then given.source else 'the memory given' end);

  return query values
    ('rows', present, rows::float8, 'rows', format('%s times as many', trim_scale(round((rows / present)::numeric, case when rows < 10 * present then 1 else 0 end)))),
    ('table', sizes.table_bytes::float8, sizes.table_bytes / present * rows, 'bytes',
     format('%s bytes a row: text, vector, words', round((sizes.table_bytes / present)::numeric))),
    ('other indexes', (sizes.indexes - sizes.vectors)::float8, (sizes.indexes - sizes.vectors) / present * rows, 'bytes',
     format('%s bytes a row: keys, words, metadata', round(((sizes.indexes - sizes.vectors) / present)::numeric))),
    ('vector index', sizes.vectors::float8, bytes, 'bytes',
     format('hnsw over %s with m %s%s', held, m, case held when 'binary' then ': of the present rows it finds 95 % and more' end)),
    ('disk', (sizes.table_bytes + sizes.indexes)::float8,
     (sizes.table_bytes + sizes.indexes - sizes.vectors) / present * rows + 2 * bytes + pg_size_bytes(current_setting('max_wal_size')), 'bytes',
     'all of these, room to build the vector index a second time, and max_wal_size'),
    ('memory to search', sizes.vectors::float8, bytes / shards, 'bytes',
     format('the vector index, on each server; it should fit into %s', fits)),
    ('memory to build', null::float8,
     (pgvec.index_memory('hnsw', held, target.dimensions, piece, m, workers => helpers)).build_bytes, 'bytes',
     format('maintenance_work_mem for one graph, of %s rows', piece)),
    ('time to build', null::float8,
     pgvec.build_seconds(target.name, 'hnsw', held, piece, m, breadth) * greatest(1, ceil(parts::float8 / shards)) / (1 + helpers), 'seconds',
     format('from a sample, with ef_construction %s and %s parallel workers, on this machine, while memory suffices', breadth, helpers)),
    ('partitions', (select count(*) from pgvec.partitions(target.base))::float8, parts::float8, 'tables',
     case
       when target.access <> 'tenant' then 'no tenants: each search would read all partitions'
       when parts = 1 then 'one graph serves so few rows'
       else format('about a million rows each: a search reads that of its tenant%s', coalesce(
              format('; a tenant has %s rows on average%s', round(rows::numeric / tenants), case when rows / tenants <= 25000 then ', which are scanned exactly' end), ''))
     end),
    ('shards', 1::float8, shards::float8, 'servers',
     case when shards <= 1 then 'the vector index fits into the memory of one server'
          when target.access = 'tenant' then 'the vector index does not fit into the memory of one server: tenants over several'
          else 'the vector index does not fit into the memory of one server: more memory, or fewer dimensions' end),
    ('replicas', null::float8, 1::float8, 'servers', 'one for a failure; each further one answers as many searches again, and needs the same memory and disk');
end
$$;
comment on function pgvec.scale_plan(text, bigint, bigint, bigint) is
  'What a collection would take at so many rows, and so many tenants: what, its size now (null: unknown) and planned, the unit (rows, bytes, seconds, tables, servers), and why. '
  'By the rows there are, and by memory in bytes for each server (by default pgvec.server_memory). Raises PV001, PV004.';
revoke all on function pgvec.scale_plan(text, bigint, bigint, bigint) from public;
