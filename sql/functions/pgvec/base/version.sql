-- pgvec.version -- the release that these functions came with.
create or replace function pgvec.version()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '0.2.1'
$$;
comment on function pgvec.version() is 'The release of pgvec-admin that the installed functions came with.';
revoke all on function pgvec.version() from public;
select pgvec.grant_execute('pgvec.version()', 'reader');
