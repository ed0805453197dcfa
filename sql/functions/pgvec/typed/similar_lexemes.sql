-- pgvec.similar_lexemes -- the lexemes that begin with the first half of a word and resemble the rest of it.
-- Similarity is that of pg_trgm (shared trigrams over all trigrams), which need not be installed.
create or replace function pgvec.similar_lexemes(request pgvec.search_request, word text)
  returns table (lexeme text, documents float8, similarity float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
  set plan_cache_mode = force_generic_plan
  rows 10
as $$
begin
  return query
    with begun as materialized (
           select b.lexeme, b.documents
             from pgvec.lexemes_with(request, left(similar_lexemes.word, greatest(3, length(similar_lexemes.word) / 2))) as b
            where abs(length(b.lexeme) - length(similar_lexemes.word)) <= 3
            order by b.documents desc, b.lexeme
            limit 200)
    select b.lexeme, b.documents, s.similarity
      from begun as b
     cross join lateral (
           select count(*) filter (where g.sides = 2)::float8 / count(*) as similarity
             from (select count(*) as sides
                     from (select distinct w.word, substr('  ' || w.word || ' ', i, 3) as trigram
                             from (values (similar_lexemes.word), (b.lexeme)) as w (word), generate_series(1, length(w.word) + 1) as i) as t
                    group by t.trigram) as g) as s
     where s.similarity >= 0.3;
end
$$;
comment on function pgvec.similar_lexemes(pgvec.search_request, text) is
  'The lexemes of rows that begin with the first half of a word (at least three letters), are longer or shorter by at most three, and share 0.3 of all trigrams with '
  'it. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.similar_lexemes(pgvec.search_request, text) from public;
