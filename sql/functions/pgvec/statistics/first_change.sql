-- pgvec.first_change -- what the count of changes of a collection, or of a tenant's part, begins with.
-- Of the clock, so that a count that was forgotten with the rows, and begins again, never comes back to what it was.
create or replace function pgvec.first_change()
  returns bigint
  language sql volatile parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (1e6 * extract(epoch from clock_timestamp()))::bigint
$$;
comment on function pgvec.first_change() is 'Microseconds since 1970: more than any count of changes can have grown by since it began.';
revoke all on function pgvec.first_change() from public;
