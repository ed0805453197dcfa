-- suggest_query -- "did you mean": the text, with each word that no row has replaced by the most similar one that some have.
-- Lexemes are stems, so the word shown is the commonest of some rows that the caller may read.
create or replace function public.suggest_query(query_text text, collection text default 'documents', for_tenant uuid default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_words      constant int := 20;
  most_characters constant int := 1000;  -- nobody corrects a passage
  request pgvec.search_request := pgvec.scoped(coalesce(suggest_query.collection, 'documents'), for_tenant);
  target     pgvec.collections := request.collection;
  suggested  text := query_text;
  item       record;
  word       text;
begin
  if length(query_text) > most_characters then
    return null;
  end if;
  for item in
    select s.word, s.lexeme from pgvec.nearest_lexemes(target.name, query_text, for_tenant) as s limit most_words
  loop
    execute format(
      $query$
      select lower(t.token)
        from (select d.content, coalesce(d.language, $3) as language from %s as d where d.fts @@ $1 limit 20) as d
       cross join lateral ts_parse('default', d.content) as t
       where lower(left(t.token, 2)) = left($2, 2)
         and to_tsvector(d.language::regconfig, t.token) @@ $1
       group by lower(t.token)
       order by count(*) desc, lower(t.token)
       limit 1
      $query$, pgvec.rows_of(request))
      into word
      using item.lexeme, trim('''' from item.lexeme::text), target.language;
    suggested := coalesce(regexp_replace(suggested, '\m' || item.word || '\M', word, 'g'), suggested);
  end loop;
  return nullif(suggested, query_text);
end
$$;
comment on function public.suggest_query(text, text, uuid) is
  'The text with words that no row of the collection has replaced by the most similar word that one has (by trigrams, beginning with the same letter); '
  'null where there is nothing to suggest, for a text of more than 1,000 characters, and where not everybody sees all rows (access policy). '
  'Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.suggest_query(text, text, uuid) from public;
select pgvec.grant_execute('public.suggest_query(text, text, uuid)', 'reader');
