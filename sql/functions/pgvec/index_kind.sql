-- pgvec.index_kind -- which form of a collection's embedding the best index for a distance holds; null without an index.
-- Asked by every search, so that the query orders by just the expression that is indexed: another would scan the table.
-- A plan of nested index lookups takes 10 microseconds, the scans and hashes that the planner prefers 45.
create or replace function pgvec.index_kind(relation regclass, distance text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = ''
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_bitmapscan = off
as $$
declare
  operators text := case distance when 'inner_product' then 'ip' else distance end;
  column_class  name := format('vector_%s_ops', operators);
  halfvec_class name := format('halfvec_%s_ops', operators);
  kind text;
begin
  select case
           when o.opcname = 'bit_hamming_ops' then 'binary'
           when x.indkey[0] = 0 then 'halfvec'
           else 'column'
         end into kind
    from pg_catalog.pg_index as x
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
   where x.indrelid = relation
     and x.indisvalid
     and x.indpred is null
     and o.opcname in (column_class, halfvec_class, 'bit_hamming_ops')
   order by x.indkey[0] = 0, o.opcname = 'bit_hamming_ops'
   limit 1;
  return kind;
end
$$;
comment on function pgvec.index_kind(regclass, text) is
  'What the vector index that serves a distance holds: column (the embedding itself), halfvec (its 2-byte form) or binary (its signs); null where there is none. '
  'The most exact goes first.';
revoke all on function pgvec.index_kind(regclass, text) from public;
select pgvec.grant_execute('pgvec.index_kind(regclass, text)', 'reader');
