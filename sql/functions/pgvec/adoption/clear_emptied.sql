-- pgvec.clear_emptied -- removes the vectors of rows of an adopted table whose text was emptied since they were made.
-- There is nothing to make another from, and the row would be found by its old text for ever. Rows that never had a text keep
-- the vector that the application gave them.
create or replace function pgvec.clear_emptied(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(clear_emptied.collection);
  adopted pgvec.adoptions := pgvec.adopted(target.name);
  cleared bigint := 0;
begin
  if adopted.collection is not null and target.source_columns is not null then
    begin
      execute format(
        'update %1$s as b set %2$I = null where b.%3$I::text = any (array('
        'select d.id from %4$s as d where d.embedding is not null and d.embedded_hash is distinct from d.content_hash and d.content !~ ''\S''))',
        target.base, target.embedding_column, adopted.id_column, target.source);
      get diagnostics cleared = row_count;
    exception when not_null_violation or check_violation then
      cleared := 0;  -- the application wants a vector in every row
    end;
  end if;
  return cleared;
end
$$;
comment on function pgvec.clear_emptied(text) is
  'Sets the vectors of rows of an adopted table to null whose text is empty now and was not when they were made; returns how many. pgvec-admin embed calls it. '
  'Raises PV001.';
revoke all on function pgvec.clear_emptied(text) from public;
