-- pgvec.indexed_filters -- the filters of a collection that have a vector index of their own, over the rows that match alone.
-- The planner sees the values of a filter, and proves the predicate of such an index from them; pgvec.search_steps has to know that
-- one look at it finds enough. The index has to hold what that of all rows holds, since queries order by that.
create or replace function pgvec.indexed_filters(collection pgvec.collections, distance text)
  returns jsonb
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select jsonb_agg(distinct case when left(l.literal, 1) = 'E' then replace(l.filter, e'\\\\', e'\\') else l.filter end::jsonb::text)
    from pgvec.index_kind(collection, distance) as k
    join pgvec.vector_indexes(pgvec.model_name(collection)) as i
      on i.valid
     and (i.method, k.method, i.distance) = ('hnsw', 'hnsw', indexed_filters.distance)
     and i.storage = case k.kind when 'column' then collection.storage else k.kind end
   cross join lateral (select substring(i.condition from '^\(metadata @> (E?''([^'']|'''')*'')::jsonb\)$') as literal) as m
   cross join lateral (select m.literal, replace(substring(m.literal from '''(.*)'''), '''''', '''') as filter) as l
   where l.literal is not null
     and collection.access = 'open'
     and collection.base = collection.relation
$$;
comment on function pgvec.indexed_filters(pgvec.collections, text) is
  'A JSON array of the filters, as text, for which a collection has a valid HNSW index with the predicate metadata @> filter (pgvec.index_definition) for a distance, '
  'beside that of all rows; null without any. Only for collections of the engine''s own that everybody may read.';
revoke all on function pgvec.indexed_filters(pgvec.collections, text) from public;
