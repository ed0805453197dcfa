-- pgvec.unread_tenant -- a tenant that the caller's token or setting names and that is no uuid, so that pgvec.claimed_tenants has to leave it out.
create or replace function pgvec.unread_tenant()
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  named  text[] := array[nullif(current_setting('app.tenant_id', true), '')];
begin
  if claims is not null then
    named := array[claims #>> '{app_metadata,tenant_id}']
             || array(select e.tenant #>> '{}'
                        from jsonb_path_query(claims, 'lax $.app_metadata.tenant_ids[*]') as e (tenant));
  end if;
  return (select n from unnest(named) as n where n !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' limit 1);
end
$$;
comment on function pgvec.unread_tenant() is
  'The first of app_metadata.tenant_id and tenant_ids of the caller''s token that is no uuid, or without a token the setting app.tenant_id; null where there is none.';
revoke all on function pgvec.unread_tenant() from public;
select pgvec.grant_execute('pgvec.unread_tenant()', 'reader');
