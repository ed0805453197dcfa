-- pgvec.tell_adoption -- says what adopting a table took and left out, as notices.
create or replace function pgvec.tell_adoption(adopted pgvec.adoptions, chosen boolean)
  returns void
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(adopted.collection);
  counted record;
begin
  if adopted.metadata_column is not null and not chosen then
    raise notice using
      message = format('column %I of %s is taken as the metadata: filters look at its keys', adopted.metadata_column, target.base),
      hint    = 'metadata_column => '''' takes the rest of the row instead (pgvec-admin collection adopt --metadata '''')';
  end if;
  execute format('select count(*) filter (where b.%1$I operator(extensions.<#>) b.%1$I in (0, ''-infinity'')) as zero, count(*) - count(b.%2$I) as unkeyed from %3$s as b',
                 target.embedding_column, adopted.id_column, target.base)
    into counted;
  if counted.zero > 0 then
    raise notice using
      message = format('%s rows of %s have a zero vector, or one too long to compare', counted.zero, target.base),
      hint    = format('they have no direction, and searches by cosine leave them out: set %I to null there, until there is an embedding', target.embedding_column);
  end if;
  if counted.unkeyed > 0 then
    raise notice using
      message = format('%s rows of %s have no %I, and are not searched', counted.unkeyed, target.base, adopted.id_column),
      hint    = 'a row is found by its key: give it one';
  end if;
end
$$;
comment on function pgvec.tell_adoption(pgvec.adoptions, boolean) is
  'Notices after an adoption: the column that was taken as the metadata unless it was chosen, rows with a vector that cannot be compared, rows without a key.';
revoke all on function pgvec.tell_adoption(pgvec.adoptions, boolean) from public;
