-- pgvec.shown_word -- a lexeme as people write it: the commonest word with it in some rows that the caller may read.
-- Lexemes are stems, which nobody writes. Of a row, only the first characters are read.
create or replace function pgvec.shown_word(request pgvec.search_request, lexeme text, beginning text, spelling text default null)
  returns text
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows       constant int := 5;
  most_characters constant int := 2000;
  words  constant tsquery := pgvec.lexeme_operand(lexeme)::tsquery;
  single pgvec.search_request := request;
  source text := format('%s as d where d.fts @@ $1 limit %s', pgvec.rows_of(request), most_rows);
  ids    text[];
  tenant uuid;
  word   text;
begin
  foreach tenant in array case when request.alone then array[null::uuid] else request.tenants end loop
    if tenant is not null then
      single.tenants := array[tenant];
      ids := pgvec.some_ids((request.collection).name, tenant, lexeme, most_rows);
      source := format('unnest($6) as i (id) join %s as d on d.id = i.id', pgvec.rows_of(single, by_key => 'i.id'));
    end if;
    execute format(
      $query$
      select lower(t.token)
        from (select left(d.content, $5) as content, coalesce(d.language, ($2).language) as language from %s) as d
       cross join lateral ts_parse('default', d.content) as t
       where starts_with(lower(t.token), $3)
         and pgvec.typed_lexemes($2, d.language, t.token) @@ $1
       group by lower(t.token)
       order by lower(t.token) = $4 desc nulls last, count(*) desc, lower(t.token)
       limit 1
      $query$, source)
      into word
      using words, request.collection, beginning, spelling, most_characters, ids;
    exit when word is not null;
  end loop;
  return word;
end
$$;
comment on function pgvec.shown_word(pgvec.search_request, text, text, text) is
  'The word in lower case that is commonest, among some rows of a request, of those with a lexeme that begin with a text; spelling, where one of them is that word. '
  'Null where there is none.';
revoke all on function pgvec.shown_word(pgvec.search_request, text, text, text) from public;
select pgvec.grant_execute('pgvec.shown_word(pgvec.search_request, text, text, text)', 'reader');
