-- pgvec.release_jobs -- gives rows back that a worker has claimed, uncharged: at its end, or where the provider failed for all.
-- Definer, since nobody else may write the queue; the number of a worker is known to that worker.
create or replace function pgvec.release_jobs(worker bigint, wait interval default '0 s', ids text[] default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  released bigint;
begin
  update pgvec.embedding_jobs as j
     set due_at = clock_timestamp() + coalesce(wait, '0 s'), worker = null, in_session = null
    from (select e.collection, e.id, e.tenant
            from pgvec.embedding_jobs as e
           where e.worker = nullif(release_jobs.worker, 0)
             and (ids is null or e.id = any (ids))
             for update skip locked) as f
   where (j.collection, j.id, j.tenant) = (f.collection, f.id, f.tenant);
  get diagnostics released = row_count;
  return released;
end
$$;
comment on function pgvec.release_jobs(bigint, interval, text[]) is
  'Gives back what a worker has claimed: all of it, or the rows with these ids. wait: how long nobody is to take it. Returns how many rows.';
revoke all on function pgvec.release_jobs(bigint, interval, text[]) from public;
select pgvec.grant_execute('pgvec.release_jobs(bigint, interval, text[])', 'writer');
