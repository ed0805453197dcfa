-- pgvec.model_change_size -- the disk that the change of a collection to another model takes, told before it begins.
-- Each row is written once more, with its entries in all indexes; those of hnsw share the element of the same vector. A vector
-- beyond 2 KB is out of line, in chunks. As much as this is needed only if vacuum reclaims nothing meanwhile.
create or replace function pgvec.model_change_size(collection text, dimensions int, storage text default null)
  returns table (rows bigint, column_bytes float8, rewritten_bytes float8, index_bytes float8, total_bytes float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(model_change_size.collection);
  kind   constant text := coalesce(storage, target.storage);
  width  constant float8 := 8 + model_change_size.dimensions * case kind when 'vector' then 4.0 else 2.0 end;
begin
  perform pgvec.check_count('dimensions', model_change_size.dimensions, 1, 16000);
  perform pgvec.check_choice('storage', kind, '{vector,halfvec}');
  execute format('select count(*) from %s as d', target.base) into rows;
  column_bytes := rows * (case when width <= 2048 then width else width * 1.03 + 60 end + 40);  -- and the hash beside it
  rewritten_bytes := (
    select sum(pg_relation_size(p) + coalesce(i.bytes, 0))
      from pgvec.partitions(target.base) as p
      left join lateral (
           select sum(pg_relation_size(x.indexrelid)) as bytes
             from pg_catalog.pg_index as x
             join pg_catalog.pg_class as c on c.oid = x.indexrelid
             join pg_catalog.pg_am as m on m.oid = c.relam
            where x.indrelid = p and m.amname not in ('hnsw', 'ivfflat')) as i on true);
  index_bytes := (pgvec.index_memory('hnsw', case when model_change_size.dimensions > 4000 then 'binary' when model_change_size.dimensions > 2000 then 'halfvec' else kind end,
                                     model_change_size.dimensions, rows)).index_bytes;
  total_bytes := column_bytes + rewritten_bytes + index_bytes;
  return next;
end
$$;
comment on function pgvec.model_change_size(text, int, text) is
  'The disk that pgvec.begin_model_change and what follows take at most: for the column, for the rows and index entries that are written once more, and for an hnsw index. '
  'Raises PV001, PV004.';
revoke all on function pgvec.model_change_size(text, int, text) from public;
