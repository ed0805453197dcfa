-- depends: 0006.tenants
-- The queries of a search, noted with its index, so that small searches need not write them.

alter table pgvec.collections add column if not exists search_query text;
alter table pgvec.collections add column if not exists scan_query text;

comment on column pgvec.collections.search_query is 'What pgvec.query_template says for search_index, noted with it.';
comment on type pgvec.search_step is
  'One thing to try in a search: kind of index (null for an exact scan), settings of hnsw (iterative_scan, ef_search, max_scan_tuples), rows to read, '
  'rows that are enough, whether it is for a tie at the limit (null for with and without), whether it takes pgvec.deep_rows, and the estimated matches of the filter.';
comment on column pgvec.collections.scan_query   is 'What pgvec.query_template says for an exact scan, noted with search_index.';
