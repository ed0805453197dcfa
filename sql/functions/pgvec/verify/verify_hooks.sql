-- pgvec.verify_hooks -- whether the hook for tenants answers for a tenant, and only then.
create or replace function pgvec.verify_hooks()
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenant   constant uuid := gen_random_uuid();
  before   jsonb;
  found    uuid[];
  problems text[] := '{}'::text[];
begin
  if pgvec.tenant_settings(tenant) is null then
    return next pgvec.verdict(
      'privileges', 'tenant hook', array['not tried: pgvec.tenant_settings() knows no settings for a made-up tenant'], null,
      'what members see is tried where it returns settings for any tenant', severity => 'warn');
    return;
  end if;
  before := pgvec.act_for(tenant, pgvec.caller());
  found := array(select t from pgvec.allowed_tenants() as t);
  perform pgvec.give_settings(before);
  if found <> array[tenant] then
    problems := problems || format('with the settings of pgvec.tenant_settings(tenant) it returns %s, not the one tenant',
                                   coalesce(nullif(array_to_string(found[:2], ', '), ''), 'none'));
  end if;

  before := pgvec.give_settings('{"request.jwt.claims": {}}'::jsonb);
  found := array(select t from pgvec.allowed_tenants() as t);
  perform pgvec.give_settings(before);
  if found <> '{}' then
    problems := problems || format('with a token that claims nothing it returns %s: everybody has that tenant', array_to_string(found[:2], ', '));
  end if;

  return next pgvec.verdict(
    'privileges', 'tenant hook', problems, 'pgvec.current_tenants() returns the tenant that a session has, and none where it has none',
    'replace pgvec.current_tenants() and pgvec.tenant_settings(uuid) together: docs/security.md');
end
$$;
comment on function pgvec.verify_hooks() is
  'Checks privileges: tenant hook (pgvec.current_tenants returns the tenant of pgvec.tenant_settings, and none for a token without claims). Writes nothing.';
revoke all on function pgvec.verify_hooks() from public;
