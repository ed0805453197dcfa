-- pgvec.run_sessions -- the sessions of a worker, which hold the advisory lock of its number: none once its session has ended.
create or replace function pgvec.run_sessions(run bigint)
  returns int[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array(
           select l.pid
             from pg_catalog.pg_locks as l
             join pg_catalog.pg_database as d on d.oid = l.database
            where l.locktype = 'advisory'
              and l.objsubid = 1
              and l.granted
              and d.datname = current_database()
              and ((l.classid::bigint << 32) | l.objid::bigint) = pgvec.worker_lock(run_sessions.run))
$$;
comment on function pgvec.run_sessions(bigint) is
  'The process ids of the sessions of this database that hold the advisory lock of the worker of this number (pgvec.worker_lock).';
revoke all on function pgvec.run_sessions(bigint) from public;
