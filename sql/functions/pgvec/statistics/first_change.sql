-- pgvec.first_change -- the first value of the change counter of a collection, or of a tenant's part.
-- Taken from the clock, so that a counter that was deleted with its rows, and begins again, never repeats a value.
create or replace function pgvec.first_change()
  returns bigint
  language sql volatile parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (1e6 * extract(epoch from clock_timestamp()))::bigint
$$;
comment on function pgvec.first_change() is 'Microseconds since 1970: more than any change counter can have reached since it began.';
revoke all on function pgvec.first_change() from public;
