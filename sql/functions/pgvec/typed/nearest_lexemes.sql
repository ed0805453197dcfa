-- pgvec.nearest_lexemes -- for each word of a text that no row has, the word that was probably meant, of those that rows have.
-- Of several (pgvec.near_words), the one that is likeliest by its error and by how many rows have it, multiplied.
-- Definer, since nobody else may read the statistics. Where policies decide who sees which rows it returns nothing.
drop function if exists pgvec.nearest_lexemes(text, text);
drop function if exists pgvec.nearest_lexemes(text, text, uuid);

create or replace function pgvec.nearest_lexemes(
    collection text, query_text text, for_tenant uuid default null, out word text, out lexeme tsquery, out spelling text)
  returns setof record
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  select distinct on (n.word) n.word, pgvec.lexeme_operand(n.lexeme)::tsquery, n.edit
    from pgvec.scoped(nearest_lexemes.collection, for_tenant) as s
   cross join lateral pgvec.near_words(s, nearest_lexemes.query_text) as n
   where (s.collection).access <> 'policy'
   order by n.word, n.likelihood * n.documents desc, n.lexeme
$$;
comment on function pgvec.nearest_lexemes(text, text, uuid) is
  'For each word of a text (pgvec.unknown_words) that no row has, the likeliest of those that rows have: its lexeme as a query, and its spelling where one typing '
  'error separates the two. The rows are those of for_tenant, or of all tenants of the caller; none for a collection whose access is policy.';
revoke all on function pgvec.nearest_lexemes(text, text, uuid) from public;
select pgvec.grant_execute('pgvec.nearest_lexemes(text, text, uuid)', 'reader');
