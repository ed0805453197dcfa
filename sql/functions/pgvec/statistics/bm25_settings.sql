-- pgvec.bm25_settings -- the BM25 parameters for the weights of a collection.
-- Robertson's usual values, which are also the defaults of Lucene and Elasticsearch, unless the collection's settings say
-- otherwise.
create or replace function pgvec.bm25_settings(collection pgvec.collections, out k1 float8, out b float8)
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(collection.settings ->> 'k1', '1.2')::float8, coalesce(collection.settings ->> 'b', '0.75')::float8
$$;
comment on function pgvec.bm25_settings(pgvec.collections) is
  'From the settings of a collection: k1 (default 1.2), how soon repeating a word stops counting, and b (default 0.75), how much a long row is held back.';
revoke all on function pgvec.bm25_settings(pgvec.collections) from public;
