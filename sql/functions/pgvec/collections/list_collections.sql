-- pgvec.list_collections -- every collection with its contents, for people and for pgvec-admin collection list.
create or replace function pgvec.list_collections()
  returns table (
    name text, relation text, rows bigint, embedded bigint, stale bigint, dimensions int, distance text,
    storage text, access text, language text, model text, indexes text[], size_bytes bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c order by c.name
  loop
    -- a collection whose table was dropped is listed too, without counts
    select null::bigint, null::bigint, null::bigint, null::bigint into rows, embedded, stale, size_bytes;
    if exists (select from pg_catalog.pg_class as r where r.oid = item.base) then
      execute format(
        $query$
        select count(*), count(d.embedding), count(*) filter (where d.embedded_hash is distinct from d.content_hash and d.content ~ '\S')
          from %s as d
        $query$, item.relation)
        into rows, embedded, stale;
      size_bytes := (select sum(pg_total_relation_size(p)) from pgvec.partitions(item.base) as p);
      indexes := array(select i.name from pgvec.vector_indexes(item.name) as i where i.valid);
      relation := (select format('%I.%I', n.nspname, r.relname)
                     from pg_catalog.pg_class as r
                     join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
                    where r.oid = item.base);
    else
      indexes := '{}';
      relation := null;
    end if;
    name := item.name;
    dimensions := item.dimensions;
    distance := item.distance;
    storage := item.storage;
    access := item.access;
    language := item.language;
    model := item.model;
    return next;
  end loop;
end
$$;
comment on function pgvec.list_collections() is
  'Every collection: its table (null where it was dropped), exact counts of rows, embedded rows and rows with text whose embedding is missing or stale, '
  'its definition, its valid vector indexes, and its size with indexes in bytes. Counts by scanning.';
revoke all on function pgvec.list_collections() from public;
