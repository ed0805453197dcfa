-- pgvec.rows_of -- what is read of a collection: its table, or the part of it that belongs to the tenants a call is for.
-- The tenants are written into the query as uuids, so that the planner sees them, and leaves out other partitions.
-- Rows that are looked up by a key are fenced: the planner, which knows of no tenant how many rows it has
-- (pgvec.hide_statistics), might otherwise read all of them into a hash.
drop function if exists pgvec.rows_of(pgvec.collections, boolean);
drop function if exists pgvec.rows_of(pgvec.collections, text);

create or replace function pgvec.rows_of(request pgvec.search_request, by_key text default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if request.tenants is null then
    return coalesce((request.collection).source, (request.collection).relation::text);
  end if;
  return format(
    '%s(select * from %s as r where r.tenant_id %s%s)',
    case when by_key is not null then 'lateral ' end,
    coalesce((request.collection).source, (request.collection).relation::text),
    format(case cardinality(request.tenants) when 1 then '= %L' else '= any (%L)' end,
           case cardinality(request.tenants) when 1 then request.tenants[1]::text else request.tenants::text end),
    ' and r.id = ' || by_key || ' offset 0');
end
$$;
comment on function pgvec.rows_of(pgvec.search_request, text) is
  'The rows of a collection, or of the tenants that a call is for (pgvec.scoped), as the FROM item of a query. '
  'by_key: the expression, such as h.id, that they are joined to by their id.';
revoke all on function pgvec.rows_of(pgvec.search_request, text) from public;
select pgvec.grant_execute('pgvec.rows_of(pgvec.search_request, text)', 'reader');
