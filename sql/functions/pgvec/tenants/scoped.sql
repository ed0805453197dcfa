-- pgvec.scoped -- a request to a collection: with the tenants whose rows it is for, where rows belong to tenants.
-- Who sees all rows anyway (service_role, the owner) may name any tenant, and has to name one, since rows of several
-- customers in one result are hardly ever what was meant. Everybody else has pgvec.allowed_tenants.
drop function if exists pgvec.scoped(text, uuid);

create or replace function pgvec.scoped(collection text, for_tenant uuid)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := case when strpos(scoped.collection, '@') > 0 then pgvec.of_model(scoped.collection) else pgvec.collection(scoped.collection) end;
  request pgvec.search_request;
begin
  request.collection := target;
  if target.base <> target.relation and target.source_columns is null then
    raise exception using
      errcode = 'PV004',
      message = format('a column of %s that searches need is gone, or of a type that they cannot read', target.base),
      detail  = array_to_string(pgvec.lost_columns(target), '; '),
      hint    = format('select pgvec.release_collection(%1$L), and adopt the table again with its present columns', target.name);
  end if;
  if target.access <> 'tenant' then
    if for_tenant is not null then
      raise exception using
        errcode = 'PV006',
        message = format('collection %L has no tenants', target.name),
        hint    = 'leave for_tenant out, or filter by a key of metadata';
    end if;
    request.alone := true;
    return request;
  end if;

  request.tenants := array(select t from pgvec.allowed_tenants() as t);
  if for_tenant = any (request.tenants) or for_tenant is not null and pgvec.sees_all(target) then
    request.tenants := array[for_tenant];
  elsif for_tenant is not null then
    raise exception using
      errcode = 'PV006',
      message = format('tenant %s is not one of the caller''s', for_tenant),
      hint    = 'leave for_tenant out to search your own; service_role may name any';
  elsif cardinality(request.tenants) = 0 then
    raise exception using
      errcode = 'PV006',
      message = format('rows of collection %L belong to tenants, and the caller has none', target.name),
      hint    = 'sign in as a user with app_metadata.tenant_id or a row in pgvec.memberships; service_role passes for_tenant; on a connection of your own: set app.tenant_id; another claim is read by the hook pgvec.current_tenants';
  end if;
  request.alone := pgvec.finds_alone(target);
  return request;
end
$$;
comment on function pgvec.scoped(text, uuid) is
  'A request with collection, and with tenants where its access is tenant: for_tenant, or all of the caller; and with alone (pgvec.finds_alone). '
  'Raises PV001 for an unknown collection, PV004 for an adopted table without its key or its vectors, PV006 for a tenant that is not the caller''s, '
  'for none where one is needed, and for one where there are none.';
revoke all on function pgvec.scoped(text, uuid) from public;
select pgvec.grant_execute('pgvec.scoped(text, uuid)', 'reader');
