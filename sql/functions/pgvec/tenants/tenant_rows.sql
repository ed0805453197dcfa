-- pgvec.tenant_rows -- what a search in one tenant reads, and how many rows that will be.
-- Two ways to the rows that meet a condition: all of the tenant's by the primary key (1.6 microseconds a row), fenced by OFFSET 0
-- so that no index over the words or the metadata of all tenants is looked up for thousands of rows of others; or an index over
-- all tenants, with the tenant as a mere filter. The planner cannot choose, since it has no statistics of tenants (it would tell
-- of them): so the tenant's size and its estimate of the condition choose here. An index of vectors is always one over all.
-- coalesce keeps the planner from the primary key and counts as half of all rows, which is undone; the partition is named,
-- where who searches may read it, since it is not found from a coalesce.
-- Volatile, since EXPLAIN is a utility statement, which stable functions may not run themselves.
drop function if exists pgvec.tenant_rows(pgvec.collections, text, tsquery, jsonb);

create or replace function pgvec.tenant_rows(
    request pgvec.search_request, condition text, words tsquery,
    out scanned text, out walked text, out matches float8, out to_scan float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  few    constant int := 1000;  -- rows that are read sooner than asked about
  collection constant pgvec.collections := request.collection;
  tenant constant uuid := request.tenants[1];
  size   bigint;
  part   regclass;
  plan   text;
  total  float8;
begin
  if has_table_privilege('pgvec.text_totals', 'select') then  -- the owner of the engine asks nobody
    select coalesce(sum(t.documents + t.uncounted), 0) into size
      from pgvec.text_totals as t
     where t.collection = (request.collection).name and t.tenant = request.tenants[1];
  else
    size := pgvec.tenant_size(collection.name, tenant);
  end if;
  if exists (select from pg_catalog.pg_inherits as i where i.inhparent = collection.base) then
    execute format('select d.tableoid::regclass from %s as d where d.tenant_id = %L limit 1', collection.relation, tenant) into part;
  end if;
  part := case when has_table_privilege(part, 'select') then part else collection.relation end;
  scanned := format('(select * from %s as r where r.tenant_id = %L offset 0)', coalesce(collection.source, collection.relation::text), tenant);
  walked := format('(select * from %s as r where coalesce(r.tenant_id = %L, false))',
                   case when collection.source is null then part::text else pgvec.model_source(collection, part) end, tenant);
  matches := size;
  to_scan := size;
  if size <= few or condition in ('', 'true') then
    return;
  end if;

  execute format('explain (format json) select from %s as d where d.embedding is not null and %s', walked, condition) into plan using words, request.bound;
  total := 2 * split_part(split_part(plan, '"Plan Rows": ', 2), ',', 1)::float8;
  matches := least(size, total * least(1, size / greatest(pgvec.estimate_rows(collection, request.tenants), 1)));
  if position('"Index Name":' in plan) > 0 and total < size then
    scanned := walked;
    to_scan := total;
  end if;
end
$$;
comment on function pgvec.tenant_rows(pgvec.search_request, text, tsquery) is
  'For a search in one tenant: the FROM items of a query that scans the rows meeting a condition and of one that '
  'walks an index of vectors, about how many rows meet it (matches), and how many are read to find them all (to_scan). condition: on rows d, with words as $1 and '
  'bound as $2.';
revoke all on function pgvec.tenant_rows(pgvec.search_request, text, tsquery) from public;
select pgvec.grant_execute('pgvec.tenant_rows(pgvec.search_request, text, tsquery)', 'reader');
