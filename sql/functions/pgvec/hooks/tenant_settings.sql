-- pgvec.tenant_settings -- a hook: the settings of a session that pgvec.current_tenants takes for a tenant's. Replace both.
-- By these verify tries what a tenant sees. An object, such as claims, is set as its JSON text.
create or replace function pgvec.tenant_settings(tenant uuid)
  returns jsonb
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object('request.jwt.claims', jsonb_build_object('app_metadata', jsonb_build_object('tenant_id', tenant)));
end
$$;
comment on function pgvec.tenant_settings(uuid) is
  'A hook, which upgrades leave alone: the settings, by name, with which pgvec.current_tenants returns a tenant. '
  'By default a token with app_metadata.tenant_id.';
revoke all on function pgvec.tenant_settings(uuid) from public;
