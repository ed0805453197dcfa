-- What the relations of a collection take on disk, in bytes: the rows themselves, and each index over all of its partitions.
select 'rows' as name, sum(pg_table_size(p))::bigint as bytes
  from pgvec.of_model(%(collection)s) as c
 cross join lateral pgvec.partitions(c.base) as p
 union all
(select x.indexrelid::regclass::text, (select sum(pg_relation_size(p)) from pgvec.partitions(x.indexrelid) as p)::bigint
   from pgvec.of_model(%(collection)s) as c
   join pg_catalog.pg_index as x on x.indrelid in (c.base, c.text_table)
  order by 2 desc)
