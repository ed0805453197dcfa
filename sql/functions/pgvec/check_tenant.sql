-- pgvec.check_tenant -- PV006 where a tenant is named for a collection that has none.
-- Ignoring the argument would show the caller rows that it meant to exclude.
create or replace function pgvec.check_tenant(collection pgvec.collections, for_tenant uuid)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = ''
as $$
begin
  if for_tenant is not null and collection.access <> 'tenant' then
    raise exception using
      errcode = 'PV006',
      message = format('collection %L has no tenants', collection.name),
      hint    = 'leave for_tenant out, or filter by a key of metadata';
  end if;
end
$$;
comment on function pgvec.check_tenant(pgvec.collections, uuid) is 'Raises PV006 where for_tenant is given for a collection without tenants.';
revoke all on function pgvec.check_tenant(pgvec.collections, uuid) from public;
select pgvec.grant_execute('pgvec.check_tenant(pgvec.collections, uuid)', 'reader');
