-- pgvec.oldest_client -- the oldest release of the command that may work with these functions.
-- Raised by a release whose changes an older command would mishandle. The command reads the text between the quotes from the
-- catalog: that needs no right to execute, and where there is no engine it finds nothing instead of failing.
create or replace function pgvec.oldest_client()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '0.2.1'
$$;
comment on function pgvec.oldest_client() is
  'The oldest release of pgvec-admin (in the form of pgvec.version) that may work with this installation. Older ones refuse, and say so.';
revoke all on function pgvec.oldest_client() from public;
select pgvec.grant_execute('pgvec.oldest_client()', 'reader');
