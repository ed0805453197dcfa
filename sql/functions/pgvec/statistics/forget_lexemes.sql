-- pgvec.forget_lexemes -- resets the statistics of a collection to those of an empty table.
create or replace function pgvec.forget_lexemes(collection text)
  returns void
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  delete from pgvec.lexemes as l where l.collection = forget_lexemes.collection;
  delete from pgvec.text_totals as t where t.collection = forget_lexemes.collection;
  select pgvec.forget_postings(forget_lexemes.collection);
  update pgvec.bm25_parameters as p set average_length = null, documents = 0 where p.collection = forget_lexemes.collection;
$$;
comment on function pgvec.forget_lexemes(text) is 'Empties the keyword statistics of a collection.';
revoke all on function pgvec.forget_lexemes(text) from public;
