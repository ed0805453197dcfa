-- pgvec.renew_lease -- extends the leases of a worker that is still at work.
-- Definer, since nobody else may write the queue. Who knows the number of a worker is that worker; and even so only rows that the
-- caller might claim are extended.
create or replace function pgvec.renew_lease(worker bigint, lease interval default '5 minutes')
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  held    record;
  given   bigint;
  renewed bigint := 0;
begin
  for held in select (w.collection).name, w.scope from pgvec.worker_scopes(renew_lease.worker) as w loop
    with f as materialized (
           select e.id, e.tenant
             from pgvec.embedding_jobs as e
            where e.worker = renew_lease.worker
              and e.collection = held.name
              and (held.scope is null or e.tenant = any (held.scope))
              for update skip locked)
    update pgvec.embedding_jobs as j
       set due_at = clock_timestamp() + lease
      from f
     where j.collection = held.name
       and j.id = f.id
       and j.tenant = f.tenant;
    get diagnostics given = row_count;
    renewed := renewed + given;
  end loop;
  return renewed;
end
$$;
comment on function pgvec.renew_lease(bigint, interval) is 'Extends what a worker has claimed to this time from now. Returns how many rows it has.';
revoke all on function pgvec.renew_lease(bigint, interval) from public;
select pgvec.grant_execute('pgvec.renew_lease(bigint, interval)', 'writer');
