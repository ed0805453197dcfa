-- pgvec.index_clause -- the part of CREATE INDEX that says what a vector index holds and how.
-- Without the name and the table, since plans and benchmarks build the same index over a sample.
create or replace function pgvec.index_clause(
    collection pgvec.collections, embedding_column name, method text, storage text, m int, ef_construction int, lists int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held      text := pgvec.index_storage(collection, storage);
  operators text := case collection.distance when 'inner_product' then 'ip' else collection.distance end;
begin
  perform pgvec.check_index(method, m, ef_construction, lists);
  if method = 'ivfflat' and collection.distance = 'l1' and held <> 'binary' then
    raise exception using
      errcode = 'PV004',
      message = 'ivfflat does not support the distance l1',
      hint    = 'use method => ''hnsw''';
  end if;

  return format(
    'using %s (%s) with (%s)',
    method,
    case
      when held = 'binary' then format('(extensions.binary_quantize(%I)::bit(%s)) extensions.bit_hamming_ops', embedding_column, collection.dimensions)
      when held = collection.storage then format('%I extensions.%I', embedding_column, format('%s_%s_ops', held, operators))
      else format('(%I::extensions.halfvec(%s)) extensions.%I', embedding_column, collection.dimensions, format('%s_%s_ops', held, operators))
    end,
    case method
      when 'hnsw' then format('m = %s, ef_construction = %s', m, ef_construction)
      else format('lists = %s', lists)
    end);
end
$$;
comment on function pgvec.index_clause(pgvec.collections, name, text, text, int, int, int) is
  'USING ... WITH ... of a vector index over a column for a collection''s distance: method hnsw (m, ef_construction) or ivfflat (lists), '
  'storage as in pgvec.index_storage. Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_clause(pgvec.collections, name, text, text, int, int, int) from public;
