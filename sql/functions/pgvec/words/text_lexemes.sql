-- pgvec.text_lexemes -- the lexemes of a text: what rows have as fts, and what queries are searched by.
-- A tsvector holds a megabyte: of a text with more, the beginning is indexed as far as it fits, with a warning that names the row.
create or replace function pgvec.text_lexemes(
    configuration regconfig, content text, fold_accents boolean default false, row_id text default null, collection text default null,
    singles boolean default true)
  returns tsvector
  language plpgsql stable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  always_fit constant int := 400000;  -- bytes: a lexeme of n takes n + 5 at most, and a position 2
  special  constant text := '[A-Za-z]\w*[./@]+\w|\w[./@]+\w*[A-Za-z]|[a-z]{2}[A-Z]|[A-Za-z][+#]|\.[Nn]';
  prepared text;
  parts    text;
  fits     int := 0;  -- characters
  too_many int;
  tried    int;
  lexemes  tsvector;
begin
  -- most texts: plain letters, no word with signs within
  if octet_length(content) = length(content) and octet_length(content) <= always_fit and content !~ special then
    return to_tsvector(configuration, content);
  end if;
  prepared := pgvec.plain_text(content, fold_accents, singles);
  parts := pgvec.word_parts(prepared);
  if prepared is null or octet_length(prepared) + coalesce(octet_length(parts), 0) <= always_fit then
    return case when parts is null then to_tsvector(configuration, prepared)
                else to_tsvector(configuration, prepared) || strip(to_tsvector(configuration, parts)) end;
  end if;
  too_many := length(prepared) + 1;
  tried := too_many - 1;
  loop
    begin
      parts := left(prepared, tried);
      lexemes := to_tsvector(configuration, parts);
      lexemes := lexemes || strip(to_tsvector(configuration, coalesce(pgvec.word_parts(parts), '')));
      fits := tried;
    exception when program_limit_exceeded then
      too_many := tried;
    end;
    exit when too_many - fits <= greatest(1, fits / 20) and fits > 0;
    tried := (fits + too_many) / 2;
  end loop;
  if row_id is not null and fits < length(prepared) then
    raise warning using
      message = format('row %s of %s has more words than can be indexed: it is searched by the first %s %% of its text', pgvec.shown(row_id), collection,
                       round(100.0 * fits / length(prepared))),
      hint    = 'cut long texts into chunks';
  end if;
  return lexemes;
end
$$;
comment on function pgvec.text_lexemes(regconfig, text, boolean, text, text, boolean) is
  'The lexemes of a text (pgvec.plain_text) and of the parts of its words (pgvec.word_parts) by a text search configuration. Of a text with more than a tsvector '
  'holds, those of its beginning, with a warning where row_id and collection say whose text it is.';
revoke all on function pgvec.text_lexemes(regconfig, text, boolean, text, text, boolean) from public;
select pgvec.grant_execute('pgvec.text_lexemes(regconfig, text, boolean, text, text, boolean)', 'reader');
