-- pgvec.near_words -- for each word of a text that no row has, the words that it may have been meant as and that rows have.
-- Of all words that one typing error makes of it, those whose lexemes are known: some 450 look-ups in the index of lexemes for a
-- word of eight letters, 1 to 2 ms, and so independent of how many lexemes there are. The words are compared, and not the lexemes,
-- since an error in an ending leaves a stem that resembles nothing (runnign, run).
-- Where there is none, the word may have two errors: then lexemes that begin with its first half, the most similar by trigrams.
create or replace function pgvec.near_words(request pgvec.search_request, query_text text)
  returns table (word text, edit text, lexeme text, documents float8, likelihood float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with scope as materialized (
           select (request.collection).name, coalesce(request.tenants, array[pgvec.no_tenant()]) as tenants),
         unknown as materialized (
           select u as word from pgvec.unknown_words(request, query_text) as u),
         configurations as materialized (
           select c as configuration from unnest(pgvec.languages(request)) as c),
         edits as materialized (
           select u.word, c.configuration, e.edit, e.likelihood, row_number() over (partition by u.word, c.configuration) as place
             from unknown as u
            cross join configurations as c
            cross join lateral pgvec.word_edits(u.word, pgvec.letters_like(u.word, c.configuration)) as e),
         meant as materialized (
           select distinct on (e.word, p.lexeme) e.word, e.edit, p.lexeme, e.likelihood
             from (select x.word, x.configuration, pgvec.typed_lexemes(request.collection, x.configuration, string_agg(x.edit, ' ' order by x.place)) as parsed
                     from edits as x
                    group by x.word, x.configuration) as w
            cross join lateral unnest(w.parsed) as p
            cross join lateral unnest(p.positions) as o (place)
             join edits as e on e.word = w.word and e.configuration = w.configuration and e.place = o.place
            order by e.word, p.lexeme, e.likelihood desc, e.edit),
         known as materialized (
           select x.lexeme, sum(x.documents)::float8 as documents
             from scope as s
             join pgvec.lexemes as x on x.collection = s.name and x.tenant = any (s.tenants)
            where x.lexeme = any (array(select m.lexeme from meant as m))
            group by x.lexeme
           having sum(x.documents) > 0),
         near as materialized (
           select m.word, m.edit, m.lexeme, k.documents, m.likelihood from meant as m join known as k on k.lexeme = m.lexeme)
    select n.word, n.edit, n.lexeme, n.documents, n.likelihood from near as n
     union all
    select u.word, null, b.lexeme, b.documents, 0.05 * b.similarity
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
