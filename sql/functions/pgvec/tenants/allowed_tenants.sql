-- pgvec.allowed_tenants -- the tenants whose rows the caller may read and write.
-- With a token (a request to the REST API) they are those in its app_metadata, which users cannot change, and those of
-- pgvec.memberships; the setting app.tenant_id counts only without one, on a connection of the application's own.
-- What is no uuid is no tenant. Definer, since memberships are nobody's to read.
-- Replace this function to take tenants from elsewhere: everything about tenants asks it, policies included.
create or replace function pgvec.allowed_tenants()
  returns setof uuid
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 2
as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  if claims is null then
    return query
      select nullif(current_setting('app.tenant_id', true), '')::uuid
       where nullif(current_setting('app.tenant_id', true), '') is not null;
  else
    return query
      select distinct g.tenant::uuid
        from (select claims #>> '{app_metadata,tenant_id}' as tenant
              union
              select e.tenant
                from jsonb_array_elements_text(
                       case jsonb_typeof(claims #> '{app_metadata,tenant_ids}') when 'array' then claims #> '{app_metadata,tenant_ids}' else '[]' end) as e (tenant)
              union
              select m.tenant_id::text from pgvec.memberships as m where m.member::text = claims ->> 'sub') as g
       where g.tenant ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       order by 1;
  end if;
end
$$;
comment on function pgvec.allowed_tenants() is
  'The tenants of the caller: app_metadata.tenant_id and tenant_ids of the token and pgvec.memberships of its sub; without a token, the setting app.tenant_id.';
revoke all on function pgvec.allowed_tenants() from public;
select pgvec.grant_execute('pgvec.allowed_tenants()', 'reader');
