-- pgvec.fail_jobs -- records that rows could not be embedded: each is due again later, and after so many failures never.
-- After the first failure in half a minute to a minute, then in twice that and so on up to an hour; drawn, so that rows that
-- failed together do not come back together. Entries that are being changed at the moment are passed over: they have another
-- text, and nobody waits. Definer, since nobody else may write the queue.
create or replace function pgvec.fail_jobs(collection text, ids text[], hashes text[], reasons text[])
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target  pgvec.collections := pgvec.of_model(fail_jobs.collection);
  queue   constant text := pgvec.model_name(target);
  scope   uuid[] := pgvec.queue_scope(target);
  most    int := coalesce((target.settings ->> 'embedding_attempts')::int, 5);
  charged bigint;
begin
  if cardinality(ids) is distinct from cardinality(hashes) or cardinality(ids) is distinct from cardinality(reasons) then
    raise exception using
      errcode = 'PV004',
      message = format('%s ids, %s hashes and %s reasons do not pair up',
                       coalesce(cardinality(ids), 0), coalesce(cardinality(hashes), 0), coalesce(cardinality(reasons), 0)),
      hint    = 'pass three arrays of one length, with id and content_hash as they were claimed';
  elsif array_position(ids, null) is not null or array_position(hashes, null) is not null or array_position(reasons, null) is not null then
    raise exception using
      errcode = 'PV004',
      message = 'an id, a hash or a reason is null',
      hint    = 'pass id and content_hash as they were claimed, and a text as the reason';
  end if;

  with f as materialized (
         select e.id, e.tenant, g.reason
           from (select u.id, u.hash, max(u.reason) as reason from unnest(ids, hashes, reasons) as u (id, hash, reason) group by u.id, u.hash) as g
           join pgvec.embedding_jobs as e on e.collection = queue and e.id = g.id and e.content_hash = g.hash
          where scope is null or e.tenant = any (scope)
          order by e.id
            for update of e skip locked)
  update pgvec.embedding_jobs as j
     set attempts = j.attempts + 1,
         tried_at = clock_timestamp(),
         reason = f.reason,
         worker = null,
         in_session = null,
         due_at = case when j.attempts + 1 < most
                       then clock_timestamp() + least(interval '1 hour', interval '1 minute' * 2.0 ^ least(j.attempts, 10)) * (0.5 + random() / 2)
                       else 'infinity' end
    from f
   where j.collection = queue
     and j.id = f.id
     and j.tenant = f.tenant;
  get diagnostics charged = row_count;
  return charged;
end
$$;
comment on function pgvec.fail_jobs(text, text[], text[], text[]) is
  'Records a failure of rows in the queue of a collection, each with the content_hash that was claimed and the reason; they are due again later. '
  'After as many as the setting embedding_attempts (default 5) a row is dead: pgvec.retry_dead. Returns how many were charged. Raises PV001, PV004 for arrays that do '
  'not pair up, PV006.';
revoke all on function pgvec.fail_jobs(text, text[], text[], text[]) from public;
select pgvec.grant_execute('pgvec.fail_jobs(text, text[], text[], text[])', 'writer');
