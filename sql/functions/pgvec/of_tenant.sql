-- pgvec.of_tenant -- the condition that a row d belongs to the tenant of a collection (pgvec.writable).
create or replace function pgvec.of_tenant(collection pgvec.collections)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return 'and d.tenant_id = ' || quote_literal(collection.tenants[1]);
end
$$;
comment on function pgvec.of_tenant(pgvec.collections) is 'and d.tenant_id = ... for the one tenant of a collection; null where it has none.';
revoke all on function pgvec.of_tenant(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.of_tenant(pgvec.collections)', 'reader');
