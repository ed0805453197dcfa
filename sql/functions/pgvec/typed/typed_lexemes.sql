-- pgvec.typed_lexemes -- the lexemes of words that somebody has typed, for a collection: as rows have them.
-- The one place where the functions of room typed parse a text.
create or replace function pgvec.typed_lexemes(collection pgvec.collections, configuration text, words text)
  returns tsvector
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return pgvec.text_lexemes(coalesce(configuration, collection.language)::regconfig, words, collection.settings @> '{"fold_accents": true}');
end
$$;
comment on function pgvec.typed_lexemes(pgvec.collections, text, text) is
  'The lexemes of a text by a text search configuration (null: the collection''s own), as rows of the collection have them.';
revoke all on function pgvec.typed_lexemes(pgvec.collections, text, text) from public;
select pgvec.grant_execute('pgvec.typed_lexemes(pgvec.collections, text, text)', 'reader');
