-- pgvec.begun_words -- the lexemes of the words that begin with a text, the most frequent first.
-- Most begin with it themselves. Stems are shorter than words, though (autom for automatic), so some are shorter than what somebody
-- has typed of the word: the stems of the text with each of the endings that most words have.
create or replace function pgvec.begun_words(request pgvec.search_request, beginning text, most int)
  returns table (lexeme text, documents float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
  set enable_seqscan = off
  set plan_cache_mode = force_generic_plan
  rows 50
as $$
begin
  return query
    with letters (letter) as (
           select l from unnest(pgvec.letters_like(beginning, 'english')) as l),
         shorter as (
           select distinct l.lexeme
             from unnest(pgvec.languages(request)) as c (configuration)
            cross join lateral (
                  select string_agg(beginning || a.letter || b.letter, ' ') as words
                    from letters as a, (select '' union all select x.letter from letters as x) as b (letter)
                   where length(beginning) >= 4) as e
            cross join lateral unnest(pgvec.typed_lexemes(request.collection, c.configuration, e.words)) as l
            where l.lexeme <> beginning
              and starts_with(beginning, l.lexeme)),
         found as (
           select w.lexeme, w.documents from pgvec.lexemes_with(request, beginning) as w
           union all
           select s.lexeme, k.documents::float8
             from shorter as s
            cross join lateral (
                  select sum(x.documents) as documents
                    from pgvec.lexemes as x
                   where x.collection = (request.collection).name
                     and x.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
                     and x.lexeme = s.lexeme) as k
            where k.documents > 0)
    select f.lexeme, f.documents from found as f order by f.documents desc, f.lexeme limit most;
end
$$;
comment on function pgvec.begun_words(pgvec.search_request, text, int) is
  'The most frequent lexemes of words that begin with a text in lower case, and how many rows of the tenants of a request have each. Only for the owner, since nobody '
  'else may read the statistics.';
revoke all on function pgvec.begun_words(pgvec.search_request, text, int) from public;
