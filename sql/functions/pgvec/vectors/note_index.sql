-- pgvec.note_index -- remembers which vector index serves a collection, and by which queries, so that searches need not look.
-- The search for it would take a tenth of a small search's time. Where nobody notes, or the index is gone, they do look.
-- The ef_search for so many rows is noted too, as the setting default_ef_search, which stands where the user has set none; and the
-- filters that have an index of their own, as indexed_filters.
create or replace function pgvec.note_index(collection text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(note_index.collection);
  best   record := pgvec.index_kind(target, target.distance);
  found  regclass;
  search text := pgvec.query_template(target, target.distance, best.kind);
  scan   text := pgvec.query_template(target, target.distance, null);
  ef     constant int := pgvec.default_ef_search(pgvec.estimate_rows(target) / (select count(*) from pgvec.partitions(target.base)));
  noted  constant jsonb := jsonb_strip_nulls(jsonb_build_object('default_ef_search', case when best.method = 'hnsw' and ef > 40 then ef end,
                                                       'indexed_filters', pgvec.indexed_filters(target, target.distance)));
begin
  select to_regclass(format('%I.%I', n.nspname, i.name)) into found
    from pgvec.vector_indexes(pgvec.model_name(target)) as i
    join pg_catalog.pg_class as b on b.oid = target.base
    join pg_catalog.pg_namespace as n on n.oid = b.relnamespace
   where i.valid
     and i.condition is null
     and i.distance = target.distance
     and i.method = best.method
     and i.storage = case best.kind when 'column' then target.storage else best.kind end
   limit 1;
  if target.access <> 'open' and (target.base = target.relation or target.text_table <> target.base) then
    perform pgvec.hide_statistics(target.name);  -- of an index over an expression
  end if;
  if pgvec.model_name(target) <> target.name then
    return found;  -- searches by the second model look for it
  end if;
  update pgvec.collections as c
     set search_index = found,
         search_index_oid = found,
         search_kind = best.kind,
         search_method = best.method,
         search_query = search,
         scan_query = scan,
         settings = c.settings - '{default_ef_search,indexed_filters}'::text[] || noted
   where c.name = target.name
     and (c.search_index, c.search_index_oid, c.search_kind, c.search_method, c.search_query, c.scan_query, c.settings)
         is distinct from (found::text, found::oid, best.kind, best.method, search, scan, c.settings - '{default_ef_search,indexed_filters}'::text[] || noted);
  return found;
end
$$;
comment on function pgvec.note_index(text) is
  'Notes the vector index that searches of a collection use, and their queries, after one was built or dropped (pgvec-admin index does it), and returns it; null for none. '
  'Also notes the default of ef_search for the present rows (pgvec.default_ef_search), and the filters that have an index of their own (pgvec.indexed_filters). '
  'Searches are right without it, and a little slower. Raises PV001.';
revoke all on function pgvec.note_index(text) from public;
