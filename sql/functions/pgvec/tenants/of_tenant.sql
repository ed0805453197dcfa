-- pgvec.of_tenant -- the condition that a row (d, unless it is named) belongs to the tenant of a collection (pgvec.writable).
drop function if exists pgvec.of_tenant(pgvec.collections);
drop function if exists pgvec.of_tenant(pgvec.collections, text);

create or replace function pgvec.of_tenant(request pgvec.search_request, row_name text default 'd')
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format('and %s.tenant_id = ', row_name) || quote_literal(request.tenants[1]);
end
$$;
comment on function pgvec.of_tenant(pgvec.search_request, text) is 'and row_name.tenant_id = ... for the one tenant of a request; null where it has none.';
revoke all on function pgvec.of_tenant(pgvec.search_request, text) from public;
select pgvec.grant_execute('pgvec.of_tenant(pgvec.search_request, text)', 'reader');
