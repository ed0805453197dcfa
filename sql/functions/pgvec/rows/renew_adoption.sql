-- pgvec.renew_adoption -- keeps the registry row of an adopted table as its columns are now, so that searches need not work it out.
-- Called with every write, it waits for nobody: who finds the row locked leaves it to the next one.
create or replace function pgvec.renew_adoption(collection pgvec.collections)
  returns pgvec.collections
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  current pgvec.collections := pgvec.current_adoption(renew_adoption.collection);
  adopted pgvec.adoptions;
begin
  if current.source_columns = (renew_adoption.collection).source_columns then
    return current;
  end if;
  adopted := pgvec.adopted(current.name);
  if adopted.side is not null and adopted.id_type is not null then
    perform pgvec.fit_side(adopted);
    current.source := pgvec.adopted_source(current, adopted);
    current.plain_source := pgvec.adopted_source(current, adopted, plain => true);
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    return current;  -- elsewhere a row that was changed meanwhile is an error
  end if;
  perform from pgvec.collections as c where c.name = current.name for no key update skip locked;
  if not found then
    return current;
  end if;
  update pgvec.collections as c
     set embedding_column = current.embedding_column,
         dimensions = current.dimensions,
         storage = current.storage,
         source = current.source,
         plain_source = current.plain_source,
         source_columns = current.source_columns
   where c.name = current.name
     and (c.source, c.source_columns) is distinct from (current.source, current.source_columns);
  update pgvec.adoptions as a
     set base_oid = adopted.base_oid,
         id_column = coalesce(adopted.id_column, a.id_column),
         id_type = coalesce(adopted.id_type, a.id_type),
         content_columns = case when adopted.content_columns <> '{}' then adopted.content_columns else a.content_columns end,
         metadata_column = coalesce(adopted.metadata_column, a.metadata_column),
         added_columns = case when cardinality(adopted.added_columns) = cardinality(a.added_columns) then adopted.added_columns else a.added_columns end,
         id_number = adopted.id_number,
         content_numbers = adopted.content_numbers,
         metadata_number = adopted.metadata_number,
         embedding_number = adopted.embedding_number,
         added_numbers = adopted.added_numbers
   where a.collection = current.name
     and (a.base_oid, a.id_column, a.id_type, a.content_columns, a.metadata_column, a.added_columns)
         is distinct from (adopted.base_oid, adopted.id_column, adopted.id_type, adopted.content_columns, adopted.metadata_column, adopted.added_columns);
  return current;
end
$$;
comment on function pgvec.renew_adoption(pgvec.collections) is
  'Writes what pgvec.current_adoption says of an adopted table into the registry where it is not there, and returns the row. Its side table fits its key afterwards '
  '(pgvec.fit_side).';
revoke all on function pgvec.renew_adoption(pgvec.collections) from public;
