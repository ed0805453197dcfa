-- pgvec.candidates -- how many rows a search reads for those it wants.
-- One more than wanted shows a tie at the limit. A quantized index misplaces rows a little: of more candidates, ordered
-- by their true distance, the best are right. pgvec-admin tune sets oversample from the collection's own rows.
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.candidates(collection pgvec.collections, kind text, wanted int)
  returns int
  language sql stable parallel safe
  security invoker
as $$
  select case
           when kind operator(pg_catalog.=) 'binary' then
             wanted operator(pg_catalog.*) coalesce((collection.settings operator(pg_catalog.->>) 'oversample')::int, 20)
           when kind operator(pg_catalog.=) 'halfvec' then wanted operator(pg_catalog.+) 10
           else wanted operator(pg_catalog.+) 1
         end
$$;
comment on function pgvec.candidates(pgvec.collections, text, int) is
  'The rows to read for wanted ones over an index of a kind (of pgvec.index_kind). Setting of the collection: oversample, the candidates '
  'of a binary index for each row wanted (default 20).';
revoke all on function pgvec.candidates(pgvec.collections, text, int) from public;
select pgvec.grant_execute('pgvec.candidates(pgvec.collections, text, int)', 'reader');
