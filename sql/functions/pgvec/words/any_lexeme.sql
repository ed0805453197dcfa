-- pgvec.any_lexeme -- a text query that matches rows with any of the query's lexemes.
-- websearch_to_tsquery joins words by AND, so a question of ten words matches nothing.
create or replace function pgvec.any_lexeme(configuration text, query_text text)
  returns tsquery
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(quote_literal(l.lexeme), ' | '), '')::tsquery
    from unnest(pgvec.text_lexemes(configuration::regconfig, query_text)) as l
$$;
comment on function pgvec.any_lexeme(text, text) is
  'The lexemes of a text joined by OR, as a tsquery; empty where the text has none (stop words only).';
revoke all on function pgvec.any_lexeme(text, text) from public;
select pgvec.grant_execute('pgvec.any_lexeme(text, text)', 'reader');
