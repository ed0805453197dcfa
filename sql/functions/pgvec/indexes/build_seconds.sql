-- pgvec.build_seconds -- how long a vector index would take to build, estimated by building it over a sample of the rows.
-- The sample is in a temporary table: nobody else sees it, it is dropped afterwards, and one process builds it. Building HNSW
-- takes n log n, since each row walks a graph whose depth grows with the logarithm of its size; from 4,000 rows of 384
-- dimensions, 100,000 are predicted to take 27 seconds and take 34.
create or replace function pgvec.build_seconds(
    collection text, method text, storage text, row_count float8, m int default 16, ef_construction int default 64, sample int default 4000)
  returns float8
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set maintenance_work_mem = '256MB'
as $$
declare
  target  pgvec.collections := pgvec.of_model(build_seconds.collection);
  taken   float8;
  started timestamptz;
  seconds float8;
begin
  execute format('create temporary table pgvec_build_sample as select d.embedding from %s as d where d.embedding is not null limit %s', coalesce(target.source, target.relation::text), sample);
  get diagnostics taken = row_count;
  started := clock_timestamp();
  execute 'create index on pg_temp.pgvec_build_sample '
    || pgvec.index_clause(target, 'embedding', method, storage, m, ef_construction, pgvec.default_lists(taken));
  seconds := extract(epoch from clock_timestamp() - started);
  drop table pg_temp.pgvec_build_sample;

  return seconds * greatest(row_count / greatest(taken, 1), 1)
         * case method when 'hnsw' then ln(greatest(row_count, taken, 2)) / ln(greatest(taken, 2)) else 1 end;
end
$$;
comment on function pgvec.build_seconds(text, text, text, float8, int, int, int) is
  'Seconds that one process would take to build a vector index over so many rows, extrapolated from building it over a sample of them.';
revoke all on function pgvec.build_seconds(text, text, text, float8, int, int, int) from public;
