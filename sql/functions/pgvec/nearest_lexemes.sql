-- pgvec.nearest_lexemes -- for each word of a text that no row has, the most similar lexeme that rows have.
-- Similarity is that of pg_trgm (trigrams in common over trigrams in all), which is not needed for it. Typing errors seldom
-- concern the first letter or change the length by more than two, so only such lexemes are compared. Of several the one
-- that more rows have is meant more likely.
-- Definer, since the statistics are nobody's to read. Of a collection whose rows not everybody sees it tells nothing.
create or replace function pgvec.nearest_lexemes(collection text, query_text text)
  returns table (word text, lexeme tsquery)
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
as $$
  with target as (
         select c.name, c.language, '00000000-0000-0000-0000-000000000000'::uuid as tenant
           from pgvec.collections as c
          where c.name = nearest_lexemes.collection
            and c.access = 'open'),
       unknown as (
         select t.name, t.tenant, p.token, l.lexeme
           from target as t
          cross join lateral (select distinct p.token from ts_parse('default', left(query_text, 1000)) as p where p.token ~ '^\w{3,}$') as p
          cross join lateral unnest(to_tsvector(t.language::regconfig, p.token)) as l
          where coalesce((select sum(x.documents) from pgvec.lexemes as x where x.collection = t.name and x.tenant = t.tenant and x.lexeme = l.lexeme), 0) = 0),
       alike as (
         select distinct u.token, k.lexeme, k.documents, s.similarity
           from unknown as u
          cross join lateral (
                select x.lexeme, sum(x.documents) as documents
                  from pgvec.lexemes as x
                 where x.collection = u.name
                   and x.tenant = u.tenant
                   and left(x.lexeme, 1) = left(u.lexeme, 1)
                   and abs(length(x.lexeme) - length(u.lexeme)) <= 2
                 group by x.lexeme
                having sum(x.documents) > 0) as k
          cross join lateral (
                select count(*) filter (where g.sides = 2)::float8 / count(*) as similarity
                  from (select count(*) as sides
                          from (select distinct w.word, substr('  ' || w.word || ' ', i, 3) as trigram
                                  from (values (u.lexeme), (k.lexeme)) as w (word), generate_series(1, length(w.word) + 1) as i) as t
                         group by t.trigram) as g) as s
          where s.similarity >= 0.3)
  select distinct on (s.token) s.token, format('''%s''', replace(replace(s.lexeme, e'\\', e'\\\\'), '''', ''''''))::tsquery
    from alike as s
   order by s.token, s.similarity ^ 3 * ln(1 + s.documents) desc, s.lexeme
$$;
comment on function pgvec.nearest_lexemes(text, text) is
  'For each word of a text whose lexeme no row has, the most similar lexeme that some have, as a query for it. '
  'Similarity is that of pg_trgm, at least 0.3, and frequent ones are preferred. None for a collection whose access is not open.';
revoke all on function pgvec.nearest_lexemes(text, text) from public;
select pgvec.grant_execute('pgvec.nearest_lexemes(text, text)', 'reader');
