-- pgvec.single_letters -- the lexemes of a text that weigh in a query, but select no rows: those of single letters in scripts without
-- spaces, which so many rows have.
create or replace function pgvec.single_letters(request pgvec.search_request, words text, fold_accents boolean)
  returns text[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if octet_length(words) = length(words) then
    return '{}'::text[];
  end if;
  return array(
    select l
      from unnest(pgvec.languages(request)) as c (configuration)
     cross join lateral (
           select unnest(tsvector_to_array(pgvec.text_lexemes(c.configuration::regconfig, words, fold_accents)))
           except
           select unnest(tsvector_to_array(pgvec.text_lexemes(c.configuration::regconfig, words, fold_accents, singles => false)))) as d (l));
end
$$;
comment on function pgvec.single_letters(pgvec.search_request, text, boolean) is
  'The lexemes of a text that are only there because runs of letters without spaces are indexed by each letter too.';
revoke all on function pgvec.single_letters(pgvec.search_request, text, boolean) from public;
