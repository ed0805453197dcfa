-- pgvec.nearest_lexemes -- for each word of a text that no row has, the most similar lexeme that rows have.
-- Similarity is that of pg_trgm (shared trigrams over all trigrams), which need not be installed. Typing errors seldom change
-- the first letter, or the length by more than two, so only such lexemes are compared. Of several, the one that more rows have
-- is more likely meant.
-- Definer, since nobody else may read the statistics. Where policies decide who sees which rows it returns nothing.
drop function if exists pgvec.nearest_lexemes(text, text);

create or replace function pgvec.nearest_lexemes(collection text, query_text text, for_tenant uuid default null)
  returns table (word text, lexeme tsquery)
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  with target as (
         select (s.collection).name, (s.collection).language, coalesce(s.tenants, array[pgvec.no_tenant()]) as tenants
           from pgvec.scoped(nearest_lexemes.collection, for_tenant) as s
          where (s.collection).access <> 'policy'),
       unknown as (
         select t.name, t.tenants, p.token, l.lexeme
           from target as t
          cross join lateral (select distinct p.token from ts_parse('default', left(query_text, 1000)) as p where p.token ~ '^\w{3,}$') as p
          cross join lateral unnest(to_tsvector(t.language::regconfig, p.token)) as l
          where coalesce((select sum(x.documents) from pgvec.lexemes as x where x.collection = t.name and x.tenant = any (t.tenants) and x.lexeme = l.lexeme), 0) = 0),
       alike as (
         select distinct u.token, k.lexeme, k.documents, s.similarity
           from unknown as u
          cross join lateral (
                select x.lexeme, sum(x.documents) as documents
                  from pgvec.lexemes as x
                 where x.collection = u.name
                   and x.tenant = any (u.tenants)
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
comment on function pgvec.nearest_lexemes(text, text, uuid) is
  'For each word of a text whose lexeme no row has, the most similar lexeme that some rows have, as a query for it. Similarity is that of pg_trgm, at least 0.3, '
  'and frequent lexemes are preferred. The rows are those of for_tenant, or of all tenants of the caller; none for a collection whose access is policy.';
revoke all on function pgvec.nearest_lexemes(text, text, uuid) from public;
select pgvec.grant_execute('pgvec.nearest_lexemes(text, text, uuid)', 'reader');
