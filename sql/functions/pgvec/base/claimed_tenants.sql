-- pgvec.claimed_tenants -- the tenants that the caller's token names, or without a token the setting app.tenant_id.
-- Definer, since memberships are nobody's to read. What is no uuid is no tenant (pgvec.unread_tenant).
create or replace function pgvec.claimed_tenants()
  returns uuid[]
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  form   constant text := '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
  claims constant jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  named  constant text := current_setting('app.tenant_id', true);
  tenants uuid[] := '{}'::uuid[];
begin
  if claims is null then
    return case when named ~* form then array[named::uuid] else '{}' end;
  end if;
  if claims #>> '{app_metadata,tenant_id}' ~* form then
    tenants := array[(claims #>> '{app_metadata,tenant_id}')::uuid];
  end if;
  if jsonb_typeof(claims #> '{app_metadata,tenant_ids}') = 'array' then
    tenants := tenants || array(select e.tenant::uuid from jsonb_array_elements_text(claims #> '{app_metadata,tenant_ids}') as e (tenant) where e.tenant ~* form);
  end if;
  if claims ->> 'sub' ~* form then
    tenants := tenants || array(select m.tenant_id from pgvec.memberships as m where m.member = (claims ->> 'sub')::uuid);
  end if;
  if cardinality(tenants) > 1 then
    tenants := array(select distinct t from unnest(tenants) as t order by t);
  end if;
  return tenants;
end
$$;
comment on function pgvec.claimed_tenants() is
  'The tenants of app_metadata.tenant_id and tenant_ids of the token, which users cannot change, and of pgvec.memberships for its sub; '
  'without a token (on a connection of the application''s own) that of the setting app.tenant_id.';
revoke all on function pgvec.claimed_tenants() from public;
