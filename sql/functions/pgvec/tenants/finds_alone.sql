-- pgvec.finds_alone -- whether the current user searches the rows of tenants directly: as an owner of the table, whom no policy holds.
-- Everybody else asks the functions that run as the owner (pgvec.candidates_as_owner), since policies keep indexes from being used, and
-- partitions are for nobody else to read.
create or replace function pgvec.finds_alone(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select not row_security_active((finds_alone.collection).base)
         and (select pg_has_role(r.relowner, 'usage') from pg_catalog.pg_class as r where r.oid = (finds_alone.collection).base)
$$;
comment on function pgvec.finds_alone(pgvec.collections) is
  'Whether the current user has the rights of the owner of a collection''s table, and row level security does not hold for that role.';
revoke all on function pgvec.finds_alone(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.finds_alone(pgvec.collections)', 'reader');
