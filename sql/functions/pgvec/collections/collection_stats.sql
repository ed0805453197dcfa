-- pgvec.collection_stats -- how large collections are, and which of their indexes are used.
-- From the catalog and the server's statistics, except for the stale rows, which have an index of their own.
create or replace function pgvec.collection_stats()
  returns table (
    collection text, estimated_rows bigint, to_embed bigint, table_bytes bigint, index_bytes bigint,
    vector_scans bigint, keyword_scans bigint, filter_scans bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c join pg_catalog.pg_class as r on r.oid = c.base order by c.name
  loop
    collection := item.name;
    to_embed := pgvec.count_stale(item.name);
    estimated_rows := round(pgvec.estimate_rows(item));
    select sum(pg_table_size(p)), sum(pg_indexes_size(p)) into table_bytes, index_bytes
      from pgvec.partitions(item.base) as p;
    select coalesce(sum(s.idx_scan) filter (where m.amname in ('hnsw', 'ivfflat')), 0),
           coalesce(sum(s.idx_scan) filter (where m.amname = 'gin' and a.attname = 'fts'), 0),
           coalesce(sum(s.idx_scan) filter (where m.amname = 'gin' and a.attname = 'metadata'), 0)
      into vector_scans, keyword_scans, filter_scans
      from (select p from pgvec.partitions(item.base) as p union select t from pgvec.partitions(item.text_table) as t) as held (part)
      join pg_catalog.pg_stat_user_indexes as s on s.relid = held.part
      join pg_catalog.pg_class as i on i.oid = s.indexrelid
      join pg_catalog.pg_am as m on m.oid = i.relam
      left join pg_catalog.pg_index as x on x.indexrelid = i.oid
      left join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0];
    return next;
  end loop;
end
$$;
comment on function pgvec.collection_stats() is
  'For every collection: rows (estimated; null before the first vacuum or analyze), rows to embed, bytes of its table and of its indexes, and how often its indexes '
  'for vectors, words and filters were scanned since the statistics were reset.';
revoke all on function pgvec.collection_stats() from public;
