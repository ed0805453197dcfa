-- pgvec.drop_copies -- drops the copies of rows that pgvec.copy_tenant has made and that have not become a tenant's table.
create or replace function pgvec.drop_copies(relation regclass, tenant uuid default null)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  one regclass;
begin
  for one in select c.copy from pgvec.tenant_copies(relation, tenant) as c loop
    execute format('drop table %s', one);
  end loop;
end
$$;
comment on function pgvec.drop_copies(regclass, uuid) is 'Drops the copies (pgvec.tenant_copies) of rows of a tenant of a table, by default of all.';
revoke all on function pgvec.drop_copies(regclass, uuid) from public;
