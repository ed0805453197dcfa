-- pgvec.candidates -- how many rows a search reads for those it wants.
-- One more than wanted shows a tie at the limit. A quantized index misplaces rows a little: of more candidates, ordered
-- by their true distance, the best are right. pgvec-admin tune sets oversample from the collection's own rows.
create or replace function pgvec.candidates(collection pgvec.collections, kind text, wanted int)
  returns int
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
begin
  return case
           when kind = 'binary' then
             wanted * coalesce((collection.settings ->> 'oversample')::int, 20)
           when kind = 'halfvec' then wanted + 10
           else wanted + 1
         end;
end
$$;
comment on function pgvec.candidates(pgvec.collections, text, int) is
  'The rows to read for wanted ones over an index of a kind (of pgvec.index_kind). Setting of the collection: oversample, the candidates '
  'of a binary index for each row wanted (default 20).';
revoke all on function pgvec.candidates(pgvec.collections, text, int) from public;
select pgvec.grant_execute('pgvec.candidates(pgvec.collections, text, int)', 'reader');
