-- pgvec.begun_lexemes -- the most frequent lexemes of the words that begin with a text.
-- Definer, since nobody else may read the statistics. Where policies decide who sees which rows it returns nothing.
create or replace function pgvec.begun_lexemes(collection text, beginning text, most int, for_tenant uuid default null)
  returns table (lexeme text, documents bigint)
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  select b.lexeme, b.documents::bigint
    from pgvec.scoped(begun_lexemes.collection, for_tenant) as s
   cross join lateral pgvec.begun_words(s, lower(left(beginning, 100)), least(most, 1000)) as b
   where (s.collection).access <> 'policy'
     and beginning <> ''
$$;
comment on function pgvec.begun_lexemes(text, text, int, uuid) is
  'The most frequent lexemes of words that begin with a text, and how many rows have each. The rows are those of for_tenant, or of all tenants of the caller; none for '
  'a collection whose access is policy.';
revoke all on function pgvec.begun_lexemes(text, text, int, uuid) from public;
select pgvec.grant_execute('pgvec.begun_lexemes(text, text, int, uuid)', 'reader');
