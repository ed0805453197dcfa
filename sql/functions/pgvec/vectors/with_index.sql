-- pgvec.with_index -- the registry row of a collection as if the index that serves a distance were the one noted in it.
-- For a distance other than the collection's own, and where the noted index is gone or was made anew.
create or replace function pgvec.with_index(collection pgvec.collections, distance text)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  select i.kind, i.method, pgvec.query_template(collection, distance, i.kind), pgvec.query_template(collection, distance, null)
    into collection.search_kind, collection.search_method, collection.search_query, collection.scan_query
    from pgvec.index_kind(collection, distance) as i;
  return collection;
end
$$;
comment on function pgvec.with_index(pgvec.collections, text) is
  'The registry row with search_kind, search_method, search_query and scan_query of the index (pgvec.index_kind) for a distance.';
revoke all on function pgvec.with_index(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.with_index(pgvec.collections, text)', 'reader');
