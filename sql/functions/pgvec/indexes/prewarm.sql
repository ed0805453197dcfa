-- pgvec.prewarm -- reads a collection into the memory of the server, where the extension pg_prewarm is there.
-- After a load: the first searches would read from disk what the last rows have displaced. Vector indexes come first, then the
-- table, then its other indexes, the smallest first; what would not fit into shared_buffers beside them is left out.
-- The extension's function is called by its whole signature, so that no other fits better.
create or replace function pgvec.prewarm(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(prewarm.collection);
  home   name := (select n.nspname from pg_catalog.pg_extension as e join pg_catalog.pg_namespace as n on n.oid = e.extnamespace where e.extname = 'pg_prewarm');
  room   bigint := pg_size_bytes(current_setting('shared_buffers'));
  total  bigint := 0;
  item   record;
begin
  if home is null then
    return 0;
  end if;
  for item in
    select r.oid, pg_relation_size(r.oid) as bytes
      from pgvec.partitions(target.base) as p
      join lateral (select p::oid as oid, 2 as place
                    union all
                    select x.indexrelid, case when m.amname in ('hnsw', 'ivfflat') then 1 else 3 end
                      from pg_catalog.pg_index as x
                      join pg_catalog.pg_class as i on i.oid = x.indexrelid
                      join pg_catalog.pg_am as m on m.oid = i.relam
                     where x.indrelid = p and x.indisvalid) as r on true
     order by r.place, bytes
  loop
    continue when item.bytes = 0 or total + item.bytes > room;
    execute format('select %I.pg_prewarm($1::pg_catalog.regclass, ''buffer''::text, ''main''::text, null::bigint, null::bigint)', home) using item.oid;
    total := total + item.bytes;
  end loop;
  return total;
end
$$;
comment on function pgvec.prewarm(text) is
  'Reads the vector indexes of a collection, its table and its other indexes into shared_buffers, as far as they fit, and returns the bytes; 0 without the extension '
  'pg_prewarm. Raises PV001.';
revoke all on function pgvec.prewarm(text) from public;
