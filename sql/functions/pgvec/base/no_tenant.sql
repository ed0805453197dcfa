-- pgvec.no_tenant -- the tenant under which the statistics of a collection without tenants are stored.
create or replace function pgvec.no_tenant()
  returns uuid
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return '00000000-0000-0000-0000-000000000000'::uuid;
end
$$;
comment on function pgvec.no_tenant() is 'The nil uuid, which stands for all rows of a collection without tenants.';
revoke all on function pgvec.no_tenant() from public;
select pgvec.grant_execute('pgvec.no_tenant()', 'reader');
