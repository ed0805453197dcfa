-- pgvec.index_condition -- the WHERE of a vector index over the rows that match a filter which is asked often.
-- A search with just this filter then costs what one without a filter costs over so many rows, and has its recall.
create or replace function pgvec.index_condition(collection pgvec.collections, filter jsonb, method text, storage text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  serving record := pgvec.index_kind(collection, collection.distance);
  meant   record := pgvec.filter_condition(collection, filter);
  held    text := case serving.kind when 'column' then collection.storage else serving.kind end;
begin
  if collection.access <> 'open' or collection.base <> collection.relation or exists (select from pgvec.partitions(collection.base) as p where p <> collection.base) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L can have no index for a filter', collection.name),
      hint    = 'one whose table the engine made, and that everybody may read, can; tenants get tables of their own by pgvec.isolate_tenant';
  elsif meant.condition is distinct from 'd.metadata @> ($2 -> 0)' then
    raise exception using
      errcode = 'PV004',
      message = format('an index can be for values of metadata only, not for the filter %s', pgvec.shown(filter::text)),
      hint    = 'for example {"lang": "de"}: no operators, no names of columns, no values that begin with $';
  elsif serving.kind is null or (method, storage) is distinct from ('hnsw', held) or serving.method <> 'hnsw' then
    raise exception using
      errcode = 'PV004',
      message = format('an index for a filter is hnsw, and holds what the hnsw index of all rows of %L holds', collection.name),
      hint    = case when serving.method = 'hnsw' then format('storage => %L', held) else format('build that first: pgvec-admin index create %s', collection.name) end;
  end if;
  return format('where metadata operator(pg_catalog.@>) %L::pg_catalog.jsonb', filter);
end
$$;
comment on function pgvec.index_condition(pgvec.collections, jsonb, text, text) is
  'WHERE ... of a vector index (pgvec.index_clause) for a filter on values of metadata, beside the HNSW index of all rows and of the same storage. Raises PV003 for '
  'what is no filter, and PV004 where there can be no such index.';
revoke all on function pgvec.index_condition(pgvec.collections, jsonb, text, text) from public;
