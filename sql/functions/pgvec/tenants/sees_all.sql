-- pgvec.sees_all -- whether the caller may read every row of a collection's table anyway, past its policies.
create or replace function pgvec.sees_all(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolsuper or r.rolbypassrls and has_table_privilege(r.oid, c.oid, 'select') or pg_has_role(r.oid, c.relowner, 'usage')
    from pg_catalog.pg_roles as r, pg_catalog.pg_class as c
   where r.rolname = pgvec.caller()
     and c.oid = (sees_all.collection).base
$$;
comment on function pgvec.sees_all(pgvec.collections) is
  'Whether row level security does not hold for the caller: a superuser, a role with bypassrls such as service_role, or the owner of the table.';
revoke all on function pgvec.sees_all(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.sees_all(pgvec.collections)', 'reader');
