-- pgvec.rows_of -- what a search reads: the table of a collection, or the part of it that belongs to the tenants it is for.
-- The tenants are written into the query as uuids, so that the planner sees them, and leaves out other partitions.
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.rows_of(collection pgvec.collections)
  returns text
  language sql stable parallel safe
  security invoker
as $$
  select case
           when collection.tenants is null then collection.relation::text
           when pg_catalog.cardinality(collection.tenants) operator(pg_catalog.=) 1 then
             pg_catalog.format('(select * from %s where tenant_id = %L)', collection.relation, collection.tenants[1])
           else pg_catalog.format('(select * from %s where tenant_id = any (%L))', collection.relation, collection.tenants)
         end
$$;
comment on function pgvec.rows_of(pgvec.collections) is
  'The rows that a search reads, as the FROM item of a query: those of the collection, or of the tenants it is for (pgvec.scoped).';
revoke all on function pgvec.rows_of(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.rows_of(pgvec.collections)', 'reader');
