-- pgvec.lexeme_operand -- a lexeme as it is written in a tsquery.
create or replace function pgvec.lexeme_operand(lexeme text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format('''%s''', replace(replace(lexeme, e'\\', e'\\\\'), '''', ''''''))
$$;
comment on function pgvec.lexeme_operand(text) is 'A lexeme in quotes, for a tsquery.';
revoke all on function pgvec.lexeme_operand(text) from public;
select pgvec.grant_execute('pgvec.lexeme_operand(text)', 'reader');
