-- pgvec.allowed_tenants -- the tenants whose rows the caller may read and write.
-- Everything about tenants asks it, policies included; where they come from is for the hook pgvec.current_tenants to say.
create or replace function pgvec.allowed_tenants()
  returns setof uuid
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 2
as $$
begin
  return query select distinct t from unnest(pgvec.current_tenants()) as t where t is not null order by t;
end
$$;
comment on function pgvec.allowed_tenants() is 'The tenants of the caller, by pgvec.current_tenants, each once, in order.';
revoke all on function pgvec.allowed_tenants() from public;
select pgvec.grant_execute('pgvec.allowed_tenants()', 'reader');
