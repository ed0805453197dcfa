-- pgvec.estimate_rows -- how many rows a collection has, as the planner estimates it: rows per page at the last vacuum or
-- analyze, times the present pages. Of a partitioned collection, only the partitions in which the tenants of the search have
-- rows.
drop function if exists pgvec.estimate_rows(pgvec.collections);

create or replace function pgvec.estimate_rows(collection pgvec.collections, tenants uuid[] default null)
  returns float8
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  estimated float8;
begin
  select r.reltuples / r.relpages * (pg_relation_size(r.oid) / current_setting('block_size')::int) into estimated
    from pg_catalog.pg_class as r
   where r.oid = collection.base
     and r.relpages > 0;
  if found then
    return estimated;
  end if;

  return (
    select sum(r.reltuples / r.relpages * (pg_relation_size(r.oid) / current_setting('block_size')::int))
      from pg_catalog.pg_class as r
     where r.oid in (select p from pgvec.partitions(collection.base) as p where tenants is null
                      union all
                     select p from pgvec.tenant_partitions(collection.base, tenants) as p)
       and r.relpages > 0);
end
$$;
comment on function pgvec.estimate_rows(pgvec.collections, uuid[]) is
  'The estimated rows of a collection, or of the partitions of these tenants; null for a table that was never vacuumed or analyzed.';
revoke all on function pgvec.estimate_rows(pgvec.collections, uuid[]) from public;
select pgvec.grant_execute('pgvec.estimate_rows(pgvec.collections, uuid[])', 'reader');
