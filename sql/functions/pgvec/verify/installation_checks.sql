-- pgvec.installation_checks -- the functions that check the installation as a whole, in order; for a collection: pgvec.collection_checks.
create or replace function pgvec.installation_checks()
  returns text[]
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array['pgvec.verify_server', 'pgvec.verify_replication', 'pgvec.verify_distribution', 'pgvec.verify_installation', 'pgvec.verify_grants',
               'pgvec.verify_privileges', 'pgvec.verify_roles', 'pgvec.verify_hooks', 'pgvec.verify_settings', 'pgvec.verify_foreign', 'pgvec.verify_reach']
$$;
comment on function pgvec.installation_checks() is 'The names of the functions that check server, functions, extension and privileges, each without arguments.';
revoke all on function pgvec.installation_checks() from public;
