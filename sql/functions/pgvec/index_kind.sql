-- pgvec.index_kind -- which form of a collection's embedding the best index for a distance holds; null without an index.
-- Asked by every search, so that the query orders by just the expression that is indexed: another would scan the table.
-- A plan of nested index lookups takes 10 microseconds, the scans and hashes that the planner prefers 45.
create or replace function pgvec.index_kind(collection pgvec.collections, distance text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = ''
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_bitmapscan = off
as $$
declare
  operators     text := case distance when 'inner_product' then 'ip' else distance end;
  column_class  name := format('%s_%s_ops', collection.storage, operators);
  halfvec_class name := format('halfvec_%s_ops', operators);
  kind          text;
begin
  select case
           when o.opcname = 'bit_hamming_ops' then 'binary'
           when x.indkey[0] = 0 then 'halfvec'
           else 'column'
         end into kind
    from pg_catalog.pg_index as x
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
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
   order by x.indkey[0] = 0, o.opcname = 'bit_hamming_ops'
   limit 1;
  return kind;
end
$$;
comment on function pgvec.index_kind(pgvec.collections, text) is
  'What the vector index that serves a distance holds: column (the embedding itself), halfvec (its 2-byte form) or binary (its signs); null where there is none. '
  'The most exact goes first; partial indexes do not count.';
revoke all on function pgvec.index_kind(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.index_kind(pgvec.collections, text)', 'reader');
