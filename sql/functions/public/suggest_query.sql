-- suggest_query -- "did you mean": the text, with each word that no row has replaced by the one that was probably meant, of those that some have.
-- The word shown is one of some rows that the caller may read, since lexemes are stems.
create or replace function public.suggest_query(query_text text, collection text default 'documents', for_tenant uuid default null)
  returns text
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_characters constant int := 1000;  -- nobody corrects a passage
  request   constant pgvec.search_request := pgvec.scoped(coalesce(suggest_query.collection, 'documents'), for_tenant);
  suggested text := query_text;
  item      record;
  shown     text;
begin
  if length(query_text) > most_characters then
    return null;
  end if;
  for item in
    select s.word, trim('''' from s.lexeme::text) as lexeme, s.spelling
      from pgvec.nearest_lexemes((request.collection).name, query_text, for_tenant) as s
  loop
    shown := pgvec.shown_word(request, item.lexeme, left(item.lexeme, 2), item.spelling);
    suggested := coalesce(regexp_replace(suggested, '\m' || item.word || '\M', shown, 'gi'), suggested);
  end loop;
  return nullif(suggested, query_text);
end
$$;
comment on function public.suggest_query(text, text, uuid) is
  'The text with words of four letters or more that no row of the collection has replaced by the one that was probably meant: of the words that differ by one typing '
  'error (or resemble it, where there is none), the one that most rows have; words with digits or capitals inside stay. '
  'null where there is nothing to suggest, for a text of more than 1,000 characters, and where not everybody sees all rows (access policy). '
  'Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.suggest_query(text, text, uuid) from public;
select pgvec.grant_execute('public.suggest_query(text, text, uuid)', 'reader');
