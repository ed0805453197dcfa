-- pgvec.read_rows -- how many rows a search reads for those wanted (overfetch).
-- One row more than wanted shows a tie at LIMIT. A quantized index misplaces rows a little: of more candidates, ordered
-- by their true distance, the best are right. pgvec-admin tune sets oversample from the collection's own rows.
create or replace function pgvec.read_rows(collection pgvec.collections, kind text, wanted int)
  returns int
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case kind
           when 'binary' then wanted * coalesce(((read_rows.collection).settings ->> 'oversample')::int, 20)
           when 'halfvec' then wanted + 10
           else wanted + 1
         end
$$;
comment on function pgvec.read_rows(pgvec.collections, text, int) is
  'The rows to read for wanted ones over an index of a kind (of pgvec.index_kind). '
  'Setting of the collection: oversample, the candidates of a binary index for each row wanted (default 20).';
revoke all on function pgvec.read_rows(pgvec.collections, text, int) from public;
select pgvec.grant_execute('pgvec.read_rows(pgvec.collections, text, int)', 'reader');
