-- pgvec.index_plan -- which vector indexes a collection could have, what each needs, and which one to build.
-- The first that fits is recommended, the most exact first: hnsw over vector, halfvec, binary. Binary is recommended only by a
-- recall measured on these very rows. Where no graph fits, ivfflat needs little memory.
create or replace function pgvec.index_plan(
    collection text,
    m int default 16,
    ef_construction int default 64,
    measure boolean default true,
    memory bigint default null)
  returns table (
    method text, storage text, index_bytes float8, build_bytes float8, fits text, seconds float8, recall float8,
    recommended boolean, maintenance_work_mem text, workers int, note text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted_recall constant float8 := 0.95;  -- of a binary index
  target     pgvec.collections := pgvec.of_model(index_plan.collection);
  helpers    int := least(current_setting('max_parallel_maintenance_workers')::int, current_setting('max_parallel_workers')::int);
  budget     float8 := coalesce(memory, (pgvec.server_memory()).bytes / 2);
  setting    float8 := pg_size_bytes(current_setting('maintenance_work_mem'));
  smallest   text := case when target.dimensions <= 2000 then target.storage when target.dimensions <= 4000 then 'halfvec' else 'binary' end;
  chosen     boolean := false;
  row_count  float8;
begin
  perform pgvec.check_index('hnsw', m, ef_construction, null);
  if memory is not null then
    perform pgvec.check_count('memory', memory, 1, 9223372036854775807);
  end if;
  execute format('select count(*) from %s as d where d.embedding is not null', coalesce(target.source, target.relation::text)) into row_count;
  for method, storage in
    select *
      from (values ('hnsw', 'vector'), ('hnsw', 'halfvec'), ('hnsw', 'binary'), ('ivfflat', smallest)) as o (method, storage)
     where not (o.storage = 'vector' and (target.storage = 'halfvec' or target.dimensions > 2000))
       and not (o.storage = 'halfvec' and target.dimensions > 4000)
       and not (o.method = 'ivfflat' and target.distance = 'l1' and o.storage <> 'binary')
  loop
    select n.build_bytes, n.index_bytes into build_bytes, index_bytes
      from pgvec.index_memory(method, storage, target.dimensions, row_count, m) as n;
    -- the server grants one worker for each 32 MB after the first
    workers := case when method = 'hnsw' then greatest(0, least(helpers, floor(greatest(least(build_bytes, budget), setting) / 33554432) - 1)) else 0 end;
    if workers > 0 then
      build_bytes := (pgvec.index_memory(method, storage, target.dimensions, row_count, m, workers => workers)).build_bytes;
    end if;
    fits := case when build_bytes <= setting then 'yes' when build_bytes <= budget then 'with settings' else 'no' end;
    seconds := null;
    recall := null;
    if measure and row_count > 1 then
      seconds := pgvec.build_seconds(pgvec.model_name(target), method, storage, row_count, m, ef_construction)
                 / (1 + workers);
      recall := pgvec.quantization_recall(pgvec.model_name(target), storage, greatest(5, least(20, 2e7 / row_count))::int);
    end if;

    recommended := not chosen and fits <> 'no' and (storage <> 'binary' or recall >= wanted_recall);
    chosen := chosen or recommended;
    maintenance_work_mem := ceil(greatest(least(1.05 * build_bytes, budget), setting) / 1048576) || 'MB';
    note := case
              when method = 'ivfflat' then format('build after loading; %s lists', pgvec.default_lists(row_count))
              when fits = 'no' then 'the graph outgrows memory: building goes on, many times slower'
              when storage = 'binary' and recall is null then 'measure its recall before you choose it'
              when storage = 'binary' and recall < wanted_recall then format('recall below %s', wanted_recall)
              when row_count < 10000 then 'an exact scan of so few rows takes some milliseconds'
              else ''
            end;
    return next;
  end loop;
end
$$;
comment on function pgvec.index_plan(text, int, int, boolean, bigint) is
  'The vector indexes that a collection could have: bytes on disk, bytes to build, whether these fit (yes: in maintenance_work_mem as it is; with settings: in memory, '
  'by default half of pgvec.server_memory), seconds to build from a sample, recall@10 that the storage itself allows, which one is recommended, and the settings to '
  'build it with. '
  'measure => false leaves out what takes time; binary is then never recommended. Raises PV001.';
revoke all on function pgvec.index_plan(text, int, int, boolean, bigint) from public;
