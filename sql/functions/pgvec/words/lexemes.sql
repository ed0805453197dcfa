-- pgvec.lexemes -- the lexemes of a text, whatever the text and the configuration: for triggers on tables of the application's.
-- A tsvector holds a megabyte, so of a text with more only the beginning is searched by its words; where the configuration was
-- dropped, words are as they stand.
create or replace function pgvec.lexemes(configuration text, content text)
  returns tsvector
  language plpgsql stable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  read    int := length(content);
  lexemes tsvector;
begin
  while lexemes is null and content is not null loop
    begin
      lexemes := coalesce(to_tsvector(configuration::regconfig, case when read < length(content) then left(content, read) else content end), '');
    exception
      when program_limit_exceeded then
        read := least(read / 2, 500000);
      when undefined_object then
        configuration := 'simple';
    end;
  end loop;
  return lexemes;
end
$$;
comment on function pgvec.lexemes(text, text) is
  'to_tsvector that never fails: of a text with too many words for a tsvector the beginning counts, and an unknown configuration is simple.';
revoke all on function pgvec.lexemes(text, text) from public;
