-- pgvec.set_synonyms -- the synonyms of a collection: what else to search for, by what somebody types.
-- They apply to queries, so no row is written anew. A key is kept as the phrase of its lexemes in the collection's language, found by the
-- first of them: thousands of keys cost one look-up in an index.
create or replace function pgvec.set_synonyms(collection text, synonyms jsonb)
  returns int
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_synonyms   constant int := 20;   -- of a word
  most_characters constant int := 200;  -- of each
  target constant pgvec.collections := pgvec.collection(set_synonyms.collection);
  item   record;
  kept   int := 0;
begin
  if jsonb_typeof(synonyms) is distinct from 'object' then
    raise exception using
      errcode = 'PV004',
      message = format('synonyms are of type %s, not an object', coalesce(jsonb_typeof(synonyms), 'null')),
      hint    = 'for example {"k8s": ["kubernetes"], "laptop": ["notebook", "portable computer"]}; {} removes all';
  end if;
  delete from pgvec.synonyms as s where s.collection = target.name;
  for item in
    select e.key as word, case jsonb_typeof(e.value) when 'string' then jsonb_build_array(e.value) else e.value end as value from jsonb_each(synonyms) as e
  loop
    if (case
          when jsonb_typeof(item.value) <> 'array' or jsonb_path_exists(item.value, '$[*] ? (@.type() != "string")') then true
          else jsonb_array_length(item.value) not between 1 and most_synonyms
               or greatest(length(item.word), (select max(length(v)) from jsonb_array_elements_text(item.value) as v)) > most_characters
        end)
    then
      raise exception using
        errcode = 'PV004',
        message = format('the synonyms of %s are not a list of 1 to %s texts of at most %s characters', pgvec.shown(item.word), most_synonyms, most_characters),
        hint    = 'for example {"laptop": ["notebook", "portable computer"]}';
    end if;
    insert into pgvec.synonyms (collection, word, lexeme, key, synonyms)
    select target.name, item.word, l.lexeme, pgvec.typed_phrase(target, target.language, item.word), array(select v from jsonb_array_elements_text(item.value) as v)
      from unnest(pgvec.typed_lexemes(target, target.language, item.word)) as l
     order by l.positions[1]
     limit 1;
    if not found then
      raise exception using
        errcode = 'PV004',
        message = format('%s has no word that is searched', pgvec.shown(item.word)),
        detail  = format('in the text search configuration %s it has stop words or nothing', target.language),
        hint    = 'leave it out';
    end if;
    kept := kept + 1;
  end loop;

  -- what queries look at first, and what tells kept answers that they are no longer good
  update pgvec.collections as c
     set settings = case when kept = 0 then c.settings - 'synonyms' else c.settings || jsonb_build_object('synonyms', md5(set_synonyms.synonyms::text)) end
   where c.name = target.name;
  return kept;
end
$$;
comment on function pgvec.set_synonyms(text, jsonb) is
  'Replaces the synonyms of a collection: an object of words, or phrases, that somebody types, each with a list of words or phrases to search for as well. One direction: '
  'for both, list both. Returns how many keys there are; {} removes all. Raises PV001, and PV004 for what is no such object and for a key of stop words.';
revoke all on function pgvec.set_synonyms(text, jsonb) from public;
