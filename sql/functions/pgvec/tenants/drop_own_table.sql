-- pgvec.drop_own_table -- the rows of a tenant that has a table of its own (pgvec.isolate_tenant), dropped with that table.
-- The last row is deleted: triggers of the engine then note, once, that rows of the tenant are gone.
create or replace function pgvec.drop_own_table(collection pgvec.collections, tenant uuid)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  own     regclass := pgvec.own_table((drop_own_table.collection).base, drop_own_table.tenant);
  dropped bigint;
begin
  if own is null or pgvec.awaits_deletion((drop_own_table.collection).base) <> '{}' then
    return null;
  end if;
  execute format('select count(*) from %s', own) into dropped;
  execute format('delete from %s as d where d.tenant_id = $1 and d.id = (select o.id from %s as o limit 1)', (drop_own_table.collection).base, own) using drop_own_table.tenant;
  execute format('drop table %s', own);
  return dropped;
end
$$;
comment on function pgvec.drop_own_table(pgvec.collections, uuid) is
  'Drops the table that a tenant alone has in a collection, and returns the rows that went with it; null, and nothing dropped, where there is none, or where the '
  'deletion of rows concerns others (pgvec.awaits_deletion).';
revoke all on function pgvec.drop_own_table(pgvec.collections, uuid) from public;
