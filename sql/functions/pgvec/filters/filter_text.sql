-- pgvec.filter_text -- the operator $text of a filter as a tsquery: all words, "quoted phrases" and no -excluded word.
drop function if exists pgvec.filter_text(pgvec.collections, jsonb);

create or replace function pgvec.filter_text(collection pgvec.collections, operand jsonb, tenants uuid[])
  returns tsquery
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_words constant int := 100;  -- all of which rows must have; the time grows with their square
  parsed record := pgvec.parse_words(operand #>> '{}', 'filter');
  words  text[] := parsed.phrases || regexp_split_to_array(parsed.words, '\s+');
begin
  if jsonb_typeof(operand) <> 'string' then
    raise exception using
      errcode = 'PV003',
      message = format('$text cannot be %s', left(operand::text, 80)),
      hint    = 'a string such as "connection pool" or "\"connection pool\" -mysql"';
  end if;
  if cardinality(words || parsed.excluded) > most_words then
    raise exception using
      errcode = 'PV003',
      message = format('$text has %s words, more than %s', cardinality(words || parsed.excluded), most_words),
      hint    = 'rows must have all of them; keyword_search takes a text of any length and wants some';
  end if;
  return pgvec.text_condition(
    pgvec.text_configurations(collection.name, case cardinality(tenants) when 1 then tenants[1] end),
    words,
    parsed.excluded,
    collection.settings @> '{"fold_accents": true}');
end
$$;
comment on function pgvec.filter_text(pgvec.collections, jsonb, uuid[]) is
  'The tsquery for rows that have all words and "quoted phrases" of a text and none with a minus; null where it has no words. '
  'Raises PV003 for anything but a string, and for more than 100 words.';
revoke all on function pgvec.filter_text(pgvec.collections, jsonb, uuid[]) from public;
select pgvec.grant_execute('pgvec.filter_text(pgvec.collections, jsonb, uuid[])', 'reader');
