-- pgvec.verify_server -- the extension, and settings of the server that make searches slow or wrong.
-- Settings are those of this session, and those stored for roles and for the database.
create or replace function pgvec.verify_server()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  repaired constant int[] := array[0, 8, 4];  -- the release of pgvector that fixed index corruption by updates
  installed record;
  version   int[];
  postgres  constant int := current_setting('server_version_num')::int / 10000;
begin
  select e.extversion, n.nspname, a.default_version into installed
    from pg_catalog.pg_extension as e
    join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
    left join pg_catalog.pg_available_extensions as a on a.name = e.extname
   where e.extname = 'vector';
  version := string_to_array(regexp_replace(installed.extversion, '[^0-9.].*$', ''), '.')::int[];
  return next pgvec.verdict(
    'extension', 'pgvector',
    array_remove(array[case when version < '{0,8,0}' then format('pgvector %s is too old: filtered searches need 0.8.0', installed.extversion) end], null)
      || array_remove(array[case when version >= '{0,8,0}' and version < repaired then format('pgvector %s can corrupt HNSW indexes, which 0.8.4 fixed', installed.extversion) end], null)
      || array_remove(array[case when installed.default_version <> installed.extversion then format('the server has pgvector %s, this database %s', installed.default_version, installed.extversion) end], null),
    format('pgvector %s in %s', installed.extversion, installed.nspname),
    case when installed.default_version <> installed.extversion then 'alter extension vector update' else 'upgrade pgvector on the server, then: alter extension vector update' end,
    severity => case when version < '{0,8,0}' then 'fail' else 'warn' end);

  return next pgvec.verdict(
    'server', 'postgres',
    array_remove(array[case when postgres not between 15 and 18 then format('pgvec-admin is not tested on PostgreSQL %s', postgres) end], null),
    format('PostgreSQL %s', postgres), 'versions 15 to 18 are', severity => 'warn');

  return next pgvec.verdict(
    'server', 'planner',
    array(select format('%s is off', s.name)
            from pg_catalog.pg_settings as s
           where s.name like 'enable\_%' and s.setting = 'off' and s.boot_val = 'on')
      || array(select format('%s for %s', c.value, coalesce(r.rolname, d.datname, 'everybody'))
                 from pg_catalog.pg_db_role_setting as s
                cross join lateral unnest(s.setconfig) as c (value)
                 left join pg_catalog.pg_roles as r on r.oid = s.setrole
                 left join pg_catalog.pg_database as d on d.oid = s.setdatabase
                where s.setdatabase in (0, (select x.oid from pg_catalog.pg_database as x where x.datname = current_database()))
                  and c.value ~ '^enable_\w+=(off|false|no|0)$'),
    'no kind of plan is switched off',
    'alter database ... reset, alter role ... reset: without its kinds of plans the planner cannot use an index');

  return next pgvec.verdict(
    'server', 'autovacuum',
    array_remove(array[case when not (current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean) then 'autovacuum is off: statistics become stale, and dead rows stay' end], null),
    'autovacuum is on', 'switch autovacuum and track_counts on', severity => 'warn');

  return next pgvec.verdict(
    'server', 'jit',
    array(select format('jit is on, and an exact scan of %s costs enough for it', c.name)
            from pgvec.present_collections() as c
           where pg_catalog.pg_jit_available()
             and (select sum(r.relpages * current_setting('seq_page_cost')::float8 + greatest(r.reltuples, 0) * 2 * current_setting('cpu_tuple_cost')::float8)
                    from pgvec.partitions(c.base) as p
                    join pg_catalog.pg_class as r on r.oid = p) > current_setting('jit_above_cost')::float8
             and current_setting('jit_above_cost')::float8 >= 0),
    case when pg_catalog.pg_jit_available() then 'jit is on, no scan costs enough for it' else 'jit is off' end,
    'alter database ... set jit = off: compiling a search takes longer than the search', severity => 'warn');

  return query select * from pgvec.verify_memory();
  return query select * from pgvec.verify_timeouts();
end
$$;
comment on function pgvec.verify_server() is
  'Checks pgvector (version and schema) and the server: postgres, planner (kinds of plans that are switched off), autovacuum, jit, memory, timeouts.';
revoke all on function pgvec.verify_server() from public;
