-- pgvec.shown -- a caller's value as a message shows it: quoted, and cut if it is long.
-- Messages go to logs and through APIs, which are no place for ten megabytes.
create or replace function pgvec.shown(value text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when value is null then 'null'
           when length(value) <= 80 then quote_literal(value)
           else quote_literal(left(value, 80)) || '...'
         end
$$;
comment on function pgvec.shown(text) is 'A value as messages show it: quoted, null as null, and cut after 80 characters.';
revoke all on function pgvec.shown(text) from public;
select pgvec.grant_execute('pgvec.shown(text)', 'reader');
