-- pgvec.writable -- a collection, for rows to be written into it: one of our own tables, and one tenant.
drop function if exists pgvec.writable(text, uuid);

create or replace function pgvec.writable(collection text, for_tenant uuid)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(writable.collection, for_tenant);
  target  pgvec.collections := request.collection;
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s', target.name, target.base),
      hint    = 'insert into that table; pgvec-admin embed then embeds what is new';
  end if;
  if target.source is not null then
    raise exception using
      errcode = 'PV004',
      message = format('rows are not written by the model of collection %s', pgvec.shown(writable.collection)),
      hint    = format('write them to %s; pgvec-admin embed then embeds them with both models', target.name);
  end if;
  if cardinality(request.tenants) > 1 then
    raise exception using
      errcode = 'PV006',
      message = format('rows are written for one tenant, and the caller has %s', cardinality(request.tenants)),
      hint    = 'say whose they are: for_tenant => ..., or pgvec-admin load --tenant';
  end if;
  return request;
end
$$;
comment on function pgvec.writable(text, uuid) is
  'A request to a collection whose table is ours, with the one tenant that rows are written for. Raises PV001, PV004 for an adopted table, and PV006.';
revoke all on function pgvec.writable(text, uuid) from public;
select pgvec.grant_execute('pgvec.writable(text, uuid)', 'reader');
