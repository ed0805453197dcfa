-- pgvec.release_jobs -- gives rows back that a worker has claimed, uncharged: at its end, or where the provider failed for all.
-- Definer, since nobody else may write the queue. Who knows the number of a worker is that worker; and even so only rows that the
-- caller might claim are given back.
create or replace function pgvec.release_jobs(worker bigint, wait interval default '0 s', ids text[] default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  held     record;
  given    bigint;
  released bigint := 0;
begin
  for held in select (w.collection).name, w.scope from pgvec.worker_scopes(release_jobs.worker) as w loop
    with f as materialized (
           select e.id, e.tenant
             from pgvec.embedding_jobs as e
            where e.worker = release_jobs.worker
              and e.collection = held.name
              and (held.scope is null or e.tenant = any (held.scope))
              and (ids is null or e.id = any (ids))
              for update skip locked)
    update pgvec.embedding_jobs as j
       set due_at = clock_timestamp() + coalesce(wait, '0 s'), worker = null, in_session = null
      from f
     where j.collection = held.name
       and j.id = f.id
       and j.tenant = f.tenant;
    get diagnostics given = row_count;
    released := released + given;
  end loop;
  return released;
end
$$;
comment on function pgvec.release_jobs(bigint, interval, text[]) is
  'Gives back what a worker has claimed: all of it, or the rows with these ids. wait: how long nobody is to take it. Returns how many rows.';
revoke all on function pgvec.release_jobs(bigint, interval, text[]) from public;
select pgvec.grant_execute('pgvec.release_jobs(bigint, interval, text[])', 'writer');
