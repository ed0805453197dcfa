-- pgvec.near_words -- for each word of a text that no row has, the words that it may have been meant as and that rows have.
-- Of all words that one typing error makes of it, those whose lexemes are known: some 450 look-ups in the index of lexemes for a
-- word of eight letters, 1 to 2 ms, and so independent of how many lexemes there are. The words are compared, and not the lexemes,
-- since an error in an ending leaves a stem that resembles nothing (runnign, run).
-- Where there is none, the word may have two errors: then lexemes that begin with its first half, the most similar by trigrams.
create or replace function pgvec.near_words(request pgvec.search_request, query_text text)
  returns table (word text, edit text, lexeme text, documents float8, likelihood float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
  set enable_seqscan = off
  set plan_cache_mode = force_generic_plan
  rows 10
as $$
begin
  return query
    with unknown as materialized (
           select u as word from pgvec.unknown_words(request, query_text) as u),
         edits as materialized (
           select u.word, c.configuration, e.edits, e.likelihoods
             from unknown as u
            cross join unnest(pgvec.languages(request)) as c (configuration)
            cross join lateral (
                  select array_agg(x.edit) as edits, array_agg(x.likelihood) as likelihoods
                    from pgvec.word_edits(u.word, pgvec.letters_like(u.word, c.configuration)) as x) as e),
         parsed as materialized (
           select e.word, e.edits, e.likelihoods, pgvec.typed_lexemes(request.collection, e.configuration, array_to_string(e.edits, ' ')) as words from edits as e),
         known as materialized (
           select x.lexeme, sum(x.documents)::float8 as documents
             from pgvec.lexemes as x
            where x.collection = (request.collection).name
              and x.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
              and x.lexeme = any (array(select unnest(tsvector_to_array(p.words)) from parsed as p))
            group by x.lexeme
           having sum(x.documents) > 0),
         near as materialized (
           select distinct on (p.word, k.lexeme) p.word, p.edits[o.place] as edit, k.lexeme, k.documents, p.likelihoods[o.place] as likelihood
             from parsed as p
            cross join lateral unnest(p.words) as l
             join known as k on k.lexeme = l.lexeme
            cross join lateral unnest(l.positions) as o (place)
            order by 1, 3, 5 desc, 2)
    select n.word, n.edit, n.lexeme, n.documents, n.likelihood from near as n
     union all
    select u.word, null, b.lexeme, b.documents, b.similarity
      from unknown as u
     cross join lateral pgvec.similar_lexemes(request, u.word) as b
     where length(u.word) >= 6
       and not exists (select from near as n where n.word = u.word);
end
$$;
comment on function pgvec.near_words(pgvec.search_request, text) is
  'For each of the words of pgvec.unknown_words: the words with one typing error less whose lexeme rows have, that lexeme, the rows that have it, and how likely it is '
  'beside the others; where there is none, lexemes that are similar, without a word. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.near_words(pgvec.search_request, text) from public;
