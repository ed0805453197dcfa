-- pgvec.lease_jobs -- claims entries of a collection's queue, those first that have been due for longest.
-- A lease is a due time in the future: when it has passed, the row is anybody's again. Entries that others are claiming or
-- changing at the moment are passed over, so nobody waits. When nothing is due, rows of a worker whose session has ended are
-- free at once; a worker that has a session holds the advisory lock of its number in it (pgvec.worker_lock).
-- Definer, since nobody else may read the queue.
create or replace function pgvec.lease_jobs(
    collection text, batch int, lease interval, worker bigint default null, failed_before timestamptz default null)
  returns table (id text, tenant uuid, content_hash text, attempts int)
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
#variable_conflict use_column
declare
  target pgvec.collections := pgvec.of_model(lease_jobs.collection);
  queue  constant text := pgvec.model_name(target);
  scope  uuid[] := pgvec.queue_scope(target);
  gone   bigint[];
  locked boolean := worker is not null and pgvec.run_sessions(worker) <> '{}';
begin
  if worker between -(1::bigint << 32) and (1::bigint << 32) then
    raise exception using
      errcode = 'PV004',
      message = format('the number of a worker cannot be %s: others would guess it', worker),
      hint    = 'a worker extends and gives back its claims by its number: take a random one of some 50 bits, as pgvec.new_worker() makes them';
  end if;
  for round in 1 .. 2 loop
    return query
      with due as materialized (
        select j.ctid as place
          from pgvec.embedding_jobs as j
         where j.collection = queue
           and j.due_at <= clock_timestamp()
           and (scope is null or j.tenant = any (scope))
         order by j.due_at
         limit batch
           for update skip locked)
      update pgvec.embedding_jobs as j
         set due_at = clock_timestamp() + lease,
             worker = coalesce(lease_jobs.worker, 0),  -- of nobody in particular
             in_session = locked
        from due as d
       where j.ctid = d.place  -- one that was changed after this statement began is not seen there, and left for the next claim
      returning j.id, j.tenant, j.content_hash, j.attempts;
    exit when found or round = 2;
    gone := array(select w.worker
                    from (select distinct e.worker from pgvec.embedding_jobs as e where e.worker is not null and e.in_session) as w
                   where pgvec.run_sessions(w.worker) = '{}');
    exit when gone = '{}' and failed_before is null;
    -- of workers that are gone; and, where asked for, rows that wait after a failure: no more than are claimed now, since the others
    -- would be due from now on, before rows that come
    with f as materialized (
           select e.id, e.tenant
             from pgvec.embedding_jobs as e
            where e.collection = queue
              and (scope is null or e.tenant = any (scope))
              and (e.worker = any (gone)
                   or e.worker is null and e.tried_at < failed_before and e.due_at < 'infinity' and e.due_at > clock_timestamp())
            order by e.tried_at nulls first, e.id
            limit batch
              for update skip locked)
    update pgvec.embedding_jobs as j
       set due_at = least(j.due_at, clock_timestamp()), worker = null, in_session = null
      from f
     where j.collection = queue
       and j.id = f.id
       and j.tenant = f.tenant;
    exit when not found;
  end loop;
end
$$;
comment on function pgvec.lease_jobs(text, int, interval, bigint, timestamptz) is
  'Claims at most batch entries of the queue of a collection, of the caller''s tenants, for the time of the lease. worker: a random number, a secret of the worker''s, by which '
  'pgvec.renew_lease and pgvec.release_jobs know them. failed_before: where nothing else is due, also rows that wait after a failure before that time. '
  'Raises PV001, PV004 for a number that can be guessed, PV006.';
revoke all on function pgvec.lease_jobs(text, int, interval, bigint, timestamptz) from public;
select pgvec.grant_execute('pgvec.lease_jobs(text, int, interval, bigint, timestamptz)', 'writer');
