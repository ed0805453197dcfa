-- pgvec.default_tenant -- the tenant of a row that is inserted without one.
create or replace function pgvec.default_tenant()
  returns uuid
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenants uuid[] := array(select t from pgvec.allowed_tenants() as t);
begin
  if cardinality(tenants) <> 1 then
    raise exception using
      errcode = 'PV006',
      message = format('the row names no tenant, and the caller has %s', case cardinality(tenants) when 0 then 'none' else cardinality(tenants)::text end),
      hint    = 'give tenant_id, or sign in as a user with one app_metadata.tenant_id; on a connection of your own: set app.tenant_id';
  end if;
  return tenants[1];
end
$$;
comment on function pgvec.default_tenant() is
  'The only tenant of the caller (pgvec.allowed_tenants), for rows that are inserted without tenant_id. Raises PV006 where there are none or several.';
revoke all on function pgvec.default_tenant() from public;
select pgvec.grant_execute('pgvec.default_tenant()', 'reader');
