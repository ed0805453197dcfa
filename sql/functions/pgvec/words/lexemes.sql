-- pgvec.lexemes -- pgvec.text_lexemes that never fails: for triggers on tables of the application's.
-- Where the configuration was dropped, words are as they stand.
drop function if exists pgvec.lexemes(text, text);

create or replace function pgvec.lexemes(
    configuration text, content text, fold_accents boolean default false, row_id text default null, collection text default null)
  returns tsvector
  language plpgsql stable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  known regconfig;
begin
  begin
    known := configuration::regconfig;
  exception when undefined_object then
    known := 'simple';
  end;
  return pgvec.text_lexemes(known, content, fold_accents, row_id, collection);
end
$$;
comment on function pgvec.lexemes(text, text, boolean, text, text) is
  'The lexemes of a text by a text search configuration (pgvec.text_lexemes); an unknown one is simple.';
revoke all on function pgvec.lexemes(text, text, boolean, text, text) from public;
