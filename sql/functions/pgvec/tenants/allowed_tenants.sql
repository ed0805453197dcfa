-- pgvec.allowed_tenants -- the tenants whose rows the caller may read and write.
-- Everything about tenants asks it, policies included; where they come from is for the hook pgvec.current_tenants to say.
create or replace function pgvec.allowed_tenants()
  returns setof uuid
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 2
as $$
declare
  tenants constant uuid[] := pgvec.current_tenants();
  unread  text;
begin
  if cardinality(tenants) = 1 and tenants[1] is not null then  -- as for most callers: searches ask several times
    return next tenants[1];
    return;
  end if;
  return query select distinct t from unnest(tenants) as t where t is not null order by t;
  if not found then
    unread := pgvec.unread_tenant();
    if unread is not null then
      raise exception using
        errcode = 'PV006',
        message = format('the caller''s tenant %s is no uuid', pgvec.shown(unread)),
        hint    = 'have the hook pgvec.current_tenants map such ids: pgvec.tenant_uuid(id) makes a uuid of any text (docs/security.md, tenants from elsewhere)';
    end if;
  end if;
end
$$;
comment on function pgvec.allowed_tenants() is
  'The tenants of the caller, by pgvec.current_tenants, each once, in order. Raises PV006 where there are none and the caller names one that is no uuid.';
revoke all on function pgvec.allowed_tenants() from public;
select pgvec.grant_execute('pgvec.allowed_tenants()', 'reader');
