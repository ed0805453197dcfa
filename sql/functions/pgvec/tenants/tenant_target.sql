-- pgvec.tenant_target -- a collection for a search in one tenant, by the owner of its table on the caller's behalf.
-- The owner has to see all rows: else the search would end up with its caller's policies, and call itself again. And the table
-- may not be a weaker role's, which could have code of its own run by the search: pgvec.is_trusted.
create or replace function pgvec.tenant_target(collection text, for_tenant uuid)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(tenant_target.collection, for_tenant);
begin
  if cardinality(target.tenants) is distinct from 1 or not pgvec.finds_alone(target) or not pgvec.is_trusted(target.base) then
    raise exception using
      errcode = 'PV006',
      message = format('collection %L is refused to tenants: its table or a partition of it is not of %s, or policies are forced on that role', target.name, current_user),
      hint    = format('the owner of the engine has to own the table and its partitions: alter table %s owner to %I; alter table ... no force row level security', target.base, current_user);
  end if;
  return target;
end
$$;
comment on function pgvec.tenant_target(text, uuid) is
  'The registry row of a collection with the one tenant that a search is for. '
  'Raises PV006 unless there is one, the current user sees its rows, and the table is no weaker role''s; and as pgvec.scoped.';
revoke all on function pgvec.tenant_target(text, uuid) from public;
