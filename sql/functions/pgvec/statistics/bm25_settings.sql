-- pgvec.bm25_settings -- the parameters of BM25 that a collection's weights are to be made with.
-- Robertson's usual values, which Lucene and Elasticsearch have too, unless its settings say otherwise.
create or replace function pgvec.bm25_settings(collection pgvec.collections, out k1 float8, out b float8)
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(collection.settings ->> 'k1', '1.2')::float8, coalesce(collection.settings ->> 'b', '0.75')::float8
$$;
comment on function pgvec.bm25_settings(pgvec.collections) is
  'k1 (default 1.2), how soon repeating a word stops counting, and b (default 0.75), how much a long row is held back, of the settings of a collection.';
revoke all on function pgvec.bm25_settings(pgvec.collections) from public;
