-- pgvec.current_tenants -- a hook: the tenants whose rows the caller may read and write. Replace it to take them from elsewhere.
-- pgvec.allowed_tenants calls it, as the owner of the engine.
create or replace function pgvec.current_tenants()
  returns uuid[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return pgvec.claimed_tenants();
end
$$;
comment on function pgvec.current_tenants() is
  'A hook, which upgrades leave alone: the tenants whose rows the caller may read and write, by default those of pgvec.claimed_tenants. '
  'Runs as the owner of the engine; pgvec.caller() is the role that called. With it, replace pgvec.tenant_settings.';
revoke all on function pgvec.current_tenants() from public;
