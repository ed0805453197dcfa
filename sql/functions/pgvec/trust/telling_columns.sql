-- pgvec.telling_columns -- the columns of a collection's table, and of its expression indexes, whose statistics reveal rows
-- that a caller may not see.
-- All but metadata, which is never null, and whose operators estimate nothing for a caller under policies. (@@ does, and
-- reveals the words.) Of an adopted table, which is the application's, the columns of the side table. is_ours marks the
-- engine's own; a column that was added has statistics for its own queries, and verify reports it.
create or replace function pgvec.telling_columns(collection text)
  returns table (relation regclass, attnum int2, attname name, type text, attstattarget int, known boolean, is_index boolean, is_ours boolean)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with tables as (
         select c.text_table::oid as oid from pgvec.collection(telling_columns.collection) as c
          union
         select p from pgvec.collection(telling_columns.collection) as c cross join lateral pgvec.partitions(c.text_table) as p)
  select a.attrelid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attstattarget::int,
         exists (select
                   from pg_catalog.pg_stats as s
                   join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
                  where s.schemaname = n.nspname and s.tablename = r.relname and s.attname = a.attname),
         r.relkind in ('i', 'I'),
         r.relkind in ('i', 'I')
           or a.attname = (select c.owner_column from pgvec.collections as c where c.name = telling_columns.collection)
           or a.attname in ('tenant_id', 'id', 'source', 'chunk_index', 'content', 'language', 'embedding', 'embedded_hash', 'content_hash', 'embedded_by', 'fts', 'bm25', 'created_at', 'updated_at',
                           'embedding_next', 'embedded_hash_next', 'embedded_by_next', 'embedding_old', 'embedded_hash_old', 'embedded_by_old')
    from (select t.oid from tables as t
           union all
          select x.indexrelid from tables as t join pg_catalog.pg_index as x on x.indrelid = t.oid and x.indexprs is not null) as h
    join pg_catalog.pg_class as r on r.oid = h.oid
    join pg_catalog.pg_attribute as a on a.attrelid = r.oid
   where a.attnum > 0
     and not a.attisdropped
     and a.attname <> 'metadata'
$$;
comment on function pgvec.telling_columns(text) is
  'The columns whose statistics reveal rows: the table or index, number, name and type, the statistics target as in pg_attribute, whether there are statistics, '
  'whether it is a column of an index, and whether it is one of the engine''s own. Raises PV001.';
revoke all on function pgvec.telling_columns(text) from public;
