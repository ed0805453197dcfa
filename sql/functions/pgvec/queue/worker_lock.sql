-- pgvec.worker_lock -- the key of the advisory lock that the session of a worker holds.
-- Every role sees the keys of locks (pg_locks), and the number of a worker is a secret: so the key does not tell it.
create or replace function pgvec.worker_lock(worker bigint)
  returns bigint
  language sql immutable strict parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select ('x' || left(md5('pgvec worker ' || worker), 16))::bit(64)::bigint
$$;
comment on function pgvec.worker_lock(bigint) is
  'The key of the advisory lock by which a session shows that it is the worker of this number: its claims end with the session. A hash of the number.';
revoke all on function pgvec.worker_lock(bigint) from public;
select pgvec.grant_execute('pgvec.worker_lock(bigint)', 'writer');
