-- pgvec.synonyms_of -- what else to search for, by the synonyms of a collection, for the words of a text.
-- A key is found by its first lexeme, in the collection's language, and applies where its words follow each other.
create or replace function pgvec.synonyms_of(request pgvec.search_request, query_text text)
  returns table (word text, key text[], synonym text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
  set plan_cache_mode = force_generic_plan
  rows 2
as $$
begin
  return query
    select s.word, tsvector_to_array(k.words), n.synonym
      from pgvec.typed_lexemes(request.collection, (request.collection).language, query_text) as t (words)
      join pgvec.synonyms as s
        on s.collection = (request.collection).name
       and s.lexeme = any (tsvector_to_array(t.words))
       and t.words @@ s.key
     cross join lateral pgvec.typed_lexemes(request.collection, (request.collection).language, s.word) as k (words)
     cross join lateral unnest(s.synonyms) as n (synonym)
     order by s.word, n.synonym
     limit 100;
end
$$;
comment on function pgvec.synonyms_of(pgvec.search_request, text) is
  'The synonyms for words of a text: the word, its lexemes, and what else to search for. Only for the owner, since nobody else may read the list.';
revoke all on function pgvec.synonyms_of(pgvec.search_request, text) from public;
