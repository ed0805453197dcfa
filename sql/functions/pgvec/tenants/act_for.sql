-- pgvec.act_for -- has the rest of the transaction act as a member of a tenant would, for verify; returns the settings before.
create or replace function pgvec.act_for(tenant uuid, role name)
  returns jsonb
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := '{"request.jwt.claims": {}}'::jsonb || coalesce(pgvec.tenant_settings(act_for.tenant), '{}'::jsonb);
begin
  if jsonb_typeof(wanted -> 'request.jwt.claims') = 'object' then
    wanted := jsonb_set(wanted, '{request.jwt.claims,role}', to_jsonb(role::text));
  end if;
  return pgvec.give_settings(wanted);
end
$$;
comment on function pgvec.act_for(uuid, name) is
  'Sets what pgvec.tenant_settings says of a tenant for the transaction, with the role in its claims; returns what the settings were, for pgvec.give_settings. '
  'The role itself is not set.';
revoke all on function pgvec.act_for(uuid, name) from public;
