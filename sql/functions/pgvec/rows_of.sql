-- pgvec.rows_of -- what a search reads: the table of a collection, or the part of it that belongs to the tenants it is for.
-- The tenants are written into the query as uuids, so that the planner sees them, and leaves out other partitions.
-- Of a tenant with few rows (by the planner's estimate) all are read, and conditions applied to them: an index over the
-- words or the metadata of all tenants would be looked up for thousands of rows of others (with a filter 4.4 ms against 1.7,
-- with a thousand tenants of a hundred rows); OFFSET 0 keeps it from that. Rows
-- that are read by their ids have the primary key, and none of these questions. Volatile, since EXPLAIN is a utility statement, which
-- stable functions may not run themselves.
drop function if exists pgvec.rows_of(pgvec.collections);

create or replace function pgvec.rows_of(collection pgvec.collections, by_key boolean default false)
  returns text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  few  constant bigint := 1000;
  part text;
  plan text;
begin
  if collection.tenants is null then
    return collection.relation::text;
  end if;
  part := format(
    case cardinality(collection.tenants)
      when 1 then 'select * from %s where tenant_id = %L'
      else 'select * from %s where tenant_id = any (%L)'
    end, collection.relation, case cardinality(collection.tenants) when 1 then collection.tenants[1]::text else collection.tenants::text end);
  if by_key then
    return format('(%s)', part);
  end if;
  execute 'explain ' || part into plan;
  return format('(%s%s)', part, case when substring(plan from 'rows=(\d+)')::bigint <= few then ' offset 0' end);
end
$$;
comment on function pgvec.rows_of(pgvec.collections, boolean) is
  'The rows that a search reads, as the FROM item of a query: those of the collection, or of the tenants it is for (pgvec.scoped). by_key: they are looked up by id.';
revoke all on function pgvec.rows_of(pgvec.collections, boolean) from public;
select pgvec.grant_execute('pgvec.rows_of(pgvec.collections, boolean)', 'reader');
