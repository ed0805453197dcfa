-- pgvec.renew_lease -- extends the leases of a worker that is still at work.
-- Definer, since nobody else may write the queue; the number of a worker is known to that worker.
create or replace function pgvec.renew_lease(worker bigint, lease interval default '5 minutes')
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  renewed bigint;
begin
  update pgvec.embedding_jobs as j
     set due_at = clock_timestamp() + lease
    from (select e.collection, e.id, e.tenant from pgvec.embedding_jobs as e where e.worker = nullif(renew_lease.worker, 0) for update skip locked) as f
   where (j.collection, j.id, j.tenant) = (f.collection, f.id, f.tenant);
  get diagnostics renewed = row_count;
  return renewed;
end
$$;
comment on function pgvec.renew_lease(bigint, interval) is 'Extends what a worker has claimed to this time from now. Returns how many rows it has.';
revoke all on function pgvec.renew_lease(bigint, interval) from public;
select pgvec.grant_execute('pgvec.renew_lease(bigint, interval)', 'writer');
