-- pgvec.tenant_copies -- tables with copies of a tenant's rows that have not become its table yet (pgvec.copy_tenant).
-- They are known by their comment, which says before which transaction rows were last written to be in the copy for certain.
create or replace function pgvec.tenant_copies(relation regclass, tenant uuid default null)
  returns table (copy regclass, before xid8)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.oid::regclass, substring(obj_description(r.oid, 'pg_class') from '\d+$')::xid8
    from pg_catalog.pg_class as r
   where r.relnamespace = 'pgvec'::regnamespace
     and r.relkind = 'r'
     and not r.relispartition
     and obj_description(r.oid, 'pg_class') like format('rows of %s of tenant %s before transaction %%', tenant_copies.relation, coalesce(tenant_copies.tenant::text, '%'))
$$;
comment on function pgvec.tenant_copies(regclass, uuid) is
  'The copies of rows of a tenant, by default of any, of a table, each with the transaction before which what was written is in it.';
revoke all on function pgvec.tenant_copies(regclass, uuid) from public;
