-- pgvec.typed_phrase -- words that follow each other, as a query: pgvec.typed_lexemes with their order.
create or replace function pgvec.typed_phrase(collection pgvec.collections, configuration text, words text)
  returns tsquery
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return phraseto_tsquery(coalesce(configuration, collection.language)::regconfig, pgvec.plain_text(words, collection.settings @> '{"fold_accents": true}'));
end
$$;
comment on function pgvec.typed_phrase(pgvec.collections, text, text) is
  'The query for the words of a text one after the other, by a text search configuration (null: the collection''s own).';
revoke all on function pgvec.typed_phrase(pgvec.collections, text, text) from public;
select pgvec.grant_execute('pgvec.typed_phrase(pgvec.collections, text, text)', 'reader');
