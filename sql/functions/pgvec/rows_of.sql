-- pgvec.rows_of -- what a search reads: the table of a collection, or the part of it that belongs to the tenants it is for.
-- The tenants are written into the query as uuids, so that the planner sees them, and leaves out other partitions.
create or replace function pgvec.rows_of(collection pgvec.collections)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
begin
  return case
           when collection.tenants is null then collection.relation::text
           when cardinality(collection.tenants) = 1 then
             format('(select * from %s where tenant_id = %L)', collection.relation, collection.tenants[1])
           else format('(select * from %s where tenant_id = any (%L))', collection.relation, collection.tenants)
         end;
end
$$;
comment on function pgvec.rows_of(pgvec.collections) is
  'The rows that a search reads, as the FROM item of a query: those of the collection, or of the tenants it is for (pgvec.scoped).';
revoke all on function pgvec.rows_of(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.rows_of(pgvec.collections)', 'reader');
