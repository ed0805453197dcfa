-- pgvec.queue_scope -- whose rows a worker may take from a collection's queue: those of the caller's tenants, or all (null).
-- The queue tells which rows there are and which have changed: where policies hide rows from the caller, it is not for them.
create or replace function pgvec.queue_scope(collection pgvec.collections)
  returns uuid[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenants uuid[];
begin
  if pgvec.sees_all(queue_scope.collection) then
    return null;
  elsif (queue_scope.collection).access = 'tenant' then
    tenants := array(select t from pgvec.allowed_tenants() as t);
    if tenants <> '{}' then
      return tenants;
    end if;
  elsif has_table_privilege(pgvec.caller(), (queue_scope.collection).base, 'update')
        and ((queue_scope.collection).access = 'open'
             or (select not r.relrowsecurity from pg_catalog.pg_class as r where r.oid = (queue_scope.collection).base)) then
    return null;
  end if;
  raise exception using
    errcode = 'PV006',
    message = format('the queue of collection %L is for who may see and write its rows', (queue_scope.collection).name),
    hint    = 'embed as service_role or as the owner; where rows belong to tenants, also as a member of one';
end
$$;
comment on function pgvec.queue_scope(pgvec.collections) is
  'The tenants whose part of the queue the caller may work on, or null for the whole of it. Raises PV006 for a caller who has neither.';
revoke all on function pgvec.queue_scope(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.queue_scope(pgvec.collections)', 'writer');
