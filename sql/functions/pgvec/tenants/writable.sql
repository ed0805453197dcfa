-- pgvec.writable -- a collection, for rows to be written into it: one of our own tables, and one tenant.
create or replace function pgvec.writable(collection text, for_tenant uuid)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(writable.collection, for_tenant);
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s', target.name, target.base),
      hint    = 'insert into that table; pgvec-admin embed then embeds what is new';
  end if;
  if cardinality(target.tenants) > 1 then
    raise exception using
      errcode = 'PV006',
      message = format('rows are written for one tenant, and the caller has %s', cardinality(target.tenants)),
      hint    = 'say whose they are: for_tenant => ..., or pgvec-admin load --tenant';
  end if;
  return target;
end
$$;
comment on function pgvec.writable(text, uuid) is
  'The registry row of a collection whose table is ours, with the one tenant that rows are written for. Raises PV001, PV004 for an adopted table, and PV006.';
revoke all on function pgvec.writable(text, uuid) from public;
select pgvec.grant_execute('pgvec.writable(text, uuid)', 'reader');
