-- pgvec.collector_lock -- the key of the advisory lock that the listener holds.
create or replace function pgvec.collector_lock()
  returns bigint
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select 8097868352421
$$;
comment on function pgvec.collector_lock() is 'The key of the listener''s advisory lock, an arbitrary number.';
revoke all on function pgvec.collector_lock() from public;
