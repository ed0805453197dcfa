-- pgvec.search_steps -- how a search goes about it: what to try, in which order, and when a step has found enough.
-- Without a filter the index is walked until the limit is filled; with one see pgvec.filtered_steps; without an index
-- there is the exact scan, which is always the last step. At a tie at the limit reading tenfold closes all but a flood
-- of duplicates.
drop function if exists pgvec.search_steps(pgvec.collections, text, int, text, jsonb);

create or replace function pgvec.search_steps(
    collection pgvec.collections, kind text, method text, wanted int, condition text, bound jsonb)
  returns pgvec.search_step[]
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
begin
  return case
           when kind is null then
             array[row(null, null, null, null, wanted, 0, false, true, null)::pgvec.search_step]
           when condition <> '' then
             pgvec.filtered_steps(collection, kind, method, wanted, condition, bound)
           else
             array[
               row(kind, 'relaxed_order', pgvec.ef_search(collection, kind, wanted), 20000, pgvec.candidates(collection, kind, wanted),
                   wanted, false, method = 'ivfflat', null)::pgvec.search_step,
               row(kind, 'relaxed_order', pgvec.ef_search(collection, kind, wanted), 20000, pgvec.candidates(collection, kind, 10 * wanted),
                   wanted, true, true, null)::pgvec.search_step,
               row(null, null, null, null, wanted, 0, false, true, null)::pgvec.search_step]
         end;
end
$$;
comment on function pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb) is
  'The steps of a search over an index of a kind and method (of pgvec.index_kind), each for when those before found too few rows, the last an exact scan '
  '(see type pgvec.search_step). Settings of the collection: those of pgvec.ef_search, pgvec.candidates and pgvec.filtered_steps.';
revoke all on function pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb)', 'reader');
