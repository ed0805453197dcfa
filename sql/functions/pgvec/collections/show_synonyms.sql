-- pgvec.show_synonyms -- the synonyms of a collection, as pgvec.set_synonyms takes them.
create or replace function pgvec.show_synonyms(collection text)
  returns jsonb
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target constant pgvec.collections := pgvec.collection(show_synonyms.collection);
begin
  return (select coalesce(jsonb_object_agg(s.word, to_jsonb(s.synonyms)), '{}') from pgvec.synonyms as s where s.collection = target.name);
end
$$;
comment on function pgvec.show_synonyms(text) is 'The synonyms of a collection by word: an object such as pgvec.set_synonyms takes. Raises PV001.';
revoke all on function pgvec.show_synonyms(text) from public;
