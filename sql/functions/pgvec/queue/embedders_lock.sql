-- pgvec.embedders_lock -- the key of the advisory lock that workers share while they wait for notifications.
create or replace function pgvec.embedders_lock()
  returns bigint
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select 8097868352422
$$;
comment on function pgvec.embedders_lock() is 'The key of the advisory lock that waiting workers hold, shared; an arbitrary number.';
revoke all on function pgvec.embedders_lock() from public;
