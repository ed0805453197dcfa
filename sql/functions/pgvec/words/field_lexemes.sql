-- pgvec.field_lexemes -- the lexemes of the fields of a row that count besides its content, each with the label of its field.
-- tsvector has four labels: A, B and C are the fields in the order of their names, D is the content.
create or replace function pgvec.field_lexemes(weights jsonb, configuration text, metadata jsonb, fold_accents boolean default false)
  returns tsvector
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_characters constant int := 10000;
  lexemes tsvector := ''::tsvector;
  item    record;
begin
  for item in
    select k as name, chr(64 + row_number() over (order by k)::int) as label from jsonb_object_keys(weights) as k where k <> 'content' order by k limit 3
  loop
    lexemes := lexemes || setweight(pgvec.text_lexemes(configuration::regconfig, coalesce(left(metadata ->> item.name, most_characters), ''), fold_accents), item.label::"char");
  end loop;
  return lexemes;
end
$$;
comment on function pgvec.field_lexemes(jsonb, text, jsonb, boolean) is
  'The lexemes of those keys of metadata that have a weight (pgvec.set_weights), labelled A, B and C in the order of their names.';
revoke all on function pgvec.field_lexemes(jsonb, text, jsonb, boolean) from public;
select pgvec.grant_execute('pgvec.field_lexemes(jsonb, text, jsonb, boolean)', 'reader');
