-- pgvec.index_kind -- which form of a collection's embedding the best index for a distance holds; null without an index.
-- Asked by every search whose index is not noted, so that the query orders by just the expression that is indexed: another would scan the table.
-- A plan of nested index lookups takes 10 microseconds, the scans and hashes that the planner prefers 45.
drop function if exists pgvec.index_kind(pgvec.collections, text);

create or replace function pgvec.index_kind(collection pgvec.collections, distance text, out kind text, out method text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_bitmapscan = off
as $$
declare
  operators     text := case distance when 'inner_product' then 'ip' else distance end;
  column_class  name := format('%s_%s_ops', collection.storage, operators);
  halfvec_class name := format('halfvec_%s_ops', operators);
begin
  select case
           when o.opcname = 'bit_hamming_ops' then 'binary'
           when x.indkey[0] = 0 then 'halfvec'
           else 'column'
         end,
         m.amname
    into kind, method
    from pg_catalog.pg_index as x
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
    join pg_catalog.pg_am as m on m.oid = o.opcmethod
   where x.indrelid = collection.base
     and x.indisvalid
     and x.indpred is null
     and (o.opcname = column_class and x.indkey[0] <> 0 or o.opcname in (halfvec_class, 'bit_hamming_ops') and x.indkey[0] = 0)
     and exists (select
                   from pg_catalog.pg_attribute as a
                   join pg_catalog.pg_depend as p on p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                  where a.attrelid = collection.base
                    and a.attname = collection.embedding_column
                    and p.refclassid = 'pg_catalog.pg_class'::regclass
                    and p.classid = 'pg_catalog.pg_class'::regclass
                    and p.objid = x.indexrelid)
   order by x.indkey[0] = 0, o.opcname = 'bit_hamming_ops', m.amname
   limit 1;
end
$$;
comment on function pgvec.index_kind(pgvec.collections, text) is
  'The vector index that serves a distance: what it holds, column (the embedding itself), halfvec (its 2-byte form) or binary (its signs), '
  'and its method, hnsw or ivfflat; nulls where there is none. '
  'The most exact goes first; partial indexes do not count.';
revoke all on function pgvec.index_kind(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.index_kind(pgvec.collections, text)', 'reader');
