-- pgvec.vector_indexes -- the HNSW and IVFFlat indexes on a collection's embedding.
drop function if exists pgvec.vector_indexes(text);

create or replace function pgvec.vector_indexes(collection text)
  returns table (name text, method text, storage text, distance text, valid boolean, size_bytes bigint, definition text, condition text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select i.relname::text,
         m.amname::text,
         case split_part(o.opcname, '_', 1) when 'bit' then 'binary' else split_part(o.opcname, '_', 1) end,
         case
           when o.opcname like '%\_cosine\_ops' then 'cosine'
           when o.opcname like '%\_l2\_ops' then 'l2'
           when o.opcname like '%\_ip\_ops' then 'inner_product'
           when o.opcname like '%\_l1\_ops' then 'l1'
           else c.distance
         end,
         x.indisvalid and x.indisready,
         (select sum(pg_relation_size(p)) from pgvec.partitions(i.oid) as p)::bigint,
         pg_get_indexdef(i.oid),
         pg_get_expr(x.indpred, x.indrelid)
    from pgvec.of_model(vector_indexes.collection) as c
    join pg_catalog.pg_index as x on x.indrelid = c.base
    join pg_catalog.pg_class as i on i.oid = x.indexrelid
    join pg_catalog.pg_am as m on m.oid = i.relam
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
   where m.amname in ('hnsw', 'ivfflat')
     and exists (select
                   from pg_catalog.pg_attribute as a
                   join pg_catalog.pg_depend as p on p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                  where a.attrelid = c.base
                    and a.attname = c.embedding_column
                    and p.refclassid = 'pg_catalog.pg_class'::regclass
                    and p.classid = 'pg_catalog.pg_class'::regclass
                    and p.objid = x.indexrelid)
   order by i.relname
$$;
comment on function pgvec.vector_indexes(text) is
  'The vector indexes of a collection: name, method (hnsw, ivfflat), storage (vector, halfvec, binary), the distance each serves, whether it is valid, '
  'size in bytes, definition, and the condition of the rows in it, null for all. A binary index serves every distance, since the rows it finds are ordered anew.';
revoke all on function pgvec.vector_indexes(text) from public;
select pgvec.grant_execute('pgvec.vector_indexes(text)', 'reader');
