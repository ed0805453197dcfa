-- pgvec.index_removal -- the statements that drop a vector index of a collection, whole or half built.
-- It returns them, since DROP INDEX CONCURRENTLY cannot run inside a function. Dropping a partitioned index drops all that are
-- attached to it, so indexes left on partitions are from interrupted builds.
create or replace function pgvec.index_removal(collection text, index_name text)
  returns setof text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(index_removal.collection);
  names  text := (select string_agg(quote_literal(i.name), ', ') from pgvec.vector_indexes(pgvec.model_name(target)) as i);
  item   record;
begin
  if not exists (select from pgvec.vector_indexes(pgvec.model_name(target)) as i where i.name = index_name) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has no vector index %s', target.name, pgvec.shown(index_name)),
      hint    = coalesce('its vector indexes: ' || names, 'it has none');
  end if;

  for item in
    select n.nspname, i.relname, i.relkind = 'I' as partitioned
      from pg_catalog.pg_index as x
      join pg_catalog.pg_class as i on i.oid = x.indexrelid
      join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
      join pg_catalog.pg_am as m on m.oid = i.relam
     where x.indrelid = target.base and i.relname = index_name
        or m.amname in ('hnsw', 'ivfflat')
           and x.indrelid in (select p from pgvec.partitions(target.base) as p where p <> target.base)
           and not i.relispartition
     order by x.indrelid = target.base desc, i.relname
  loop
    return next format('drop index %s %I.%I', case when not item.partitioned then 'concurrently' end, item.nspname, item.relname);
  end loop;
end
$$;
comment on function pgvec.index_removal(text, text) is
  'DROP INDEX statements for a vector index of a collection, concurrently except for one over partitions. Raises PV001, and PV004 where there is no such index.';
revoke all on function pgvec.index_removal(text, text) from public;
