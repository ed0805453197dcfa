-- pgvec.weighted_lexemes -- the lexemes of a row whose fields have weights: those of each field with its label, and those of its content.
-- tsvector has four labels: A, B and C are the fields in the order of their names, D is the content. Where all together are more than a tsvector
-- holds, those of the whole text, as far as they fit.
create or replace function pgvec.weighted_lexemes(
    weights jsonb, configuration text, fields jsonb, content text, fold_accents boolean default false, row_id text default null, collection text default null,
    whole text default null)
  returns tsvector
  language plpgsql stable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_characters constant int := 100000;
  lexemes tsvector := ''::tsvector;
  item    record;
begin
  for item in
    select k as name, chr(64 + row_number() over (order by k)::int) as label from jsonb_object_keys(weights) as k where k <> 'content' order by k limit 3
  loop
    lexemes := lexemes || setweight(pgvec.text_lexemes(configuration::regconfig, coalesce(left(fields ->> item.name, most_characters), ''), fold_accents), item.label::"char");
  end loop;
  return lexemes || pgvec.text_lexemes(configuration::regconfig, content, fold_accents, row_id, collection);
exception when program_limit_exceeded then
  return pgvec.text_lexemes(configuration::regconfig, coalesce(whole, content), fold_accents, row_id, collection);
end
$$;
comment on function pgvec.weighted_lexemes(jsonb, text, jsonb, text, boolean, text, text, text) is
  'The lexemes of a content, and of those keys of fields that have a weight (pgvec.set_weights), labelled A, B and C in the order of their names. whole: the text '
  'of content and fields, where the fields are part of a row''s text. row_id, collection: whose text it is, for the warning of pgvec.text_lexemes.';
revoke all on function pgvec.weighted_lexemes(jsonb, text, jsonb, text, boolean, text, text, text) from public;
select pgvec.grant_execute('pgvec.weighted_lexemes(jsonb, text, jsonb, text, boolean, text, text, text)', 'reader');
