-- pgvec.of_tenant -- the condition that a row d belongs to the tenant of a collection (pgvec.writable).
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.of_tenant(collection pgvec.collections)
  returns text
  language sql stable parallel safe
  security invoker
as $$
  select 'and d.tenant_id = ' operator(pg_catalog.||) pg_catalog.quote_literal(collection.tenants[1])
$$;
comment on function pgvec.of_tenant(pgvec.collections) is 'and d.tenant_id = ... for the one tenant of a collection; null where it has none.';
revoke all on function pgvec.of_tenant(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.of_tenant(pgvec.collections)', 'reader');
