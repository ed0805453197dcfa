-- depends: 0023.lexeme_key
-- Long texts find candidates by two of their words, not by one.

do $$
begin
  if not exists (select from pg_catalog.pg_attribute as a
                  where a.attrelid = (select t.typrelid from pg_catalog.pg_type as t where t.oid = 'pgvec.keyword_query'::regtype)
                    and a.attname = 'pairs') then
    alter type pgvec.keyword_query add attribute pairs tsquery;
  end if;
end
$$;

comment on type pgvec.keyword_query is
  'A text to search for: the tsquery that finds candidates, that of all its words, their BM25 weights by lexeme, what stands in quotes, what has a minus, '
  'the lexemes that find rows, null where something else than lexemes does, and of a long text the tsquery of rows with two of its rarer words.';
