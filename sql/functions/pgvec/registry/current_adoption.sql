-- pgvec.current_adoption -- the registry row of an adopted table as its columns are now.
-- The row is kept with the state of the columns that it is for; where that is another, all of it is worked out anew: once for
-- each search, until the next write, or pgvec.renew_adoption, keeps it.
create or replace function pgvec.current_adoption(found_row pgvec.collections)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  state   constant text := pgvec.column_state(found_row.base);
  adopted pgvec.adoptions;
  vector  record;
begin
  if state = found_row.source_columns then
    return found_row;
  end if;
  adopted := pgvec.adopted(found_row.name);
  select a.attname, t.typname, a.atttypmod into vector
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
   where a.attrelid = found_row.base
     and a.attnum = adopted.embedding_number
     and not a.attisdropped;
  if vector.typname in ('vector', 'halfvec') then
    found_row.storage := vector.typname;
    found_row.dimensions := coalesce(nullif(vector.atttypmod, -1), found_row.dimensions);
    found_row.search_index_oid := null;  -- its queries may be for the other type
  end if;
  found_row.embedding_column := coalesce(vector.attname, found_row.embedding_column);
  found_row.source := pgvec.adopted_source(found_row, adopted);
  found_row.plain_source := pgvec.adopted_source(found_row, adopted, plain => true);
  found_row.source_columns := case when adopted.id_column is not null and vector.typname in ('vector', 'halfvec') then state end;
  return found_row;
end
$$;
comment on function pgvec.current_adoption(pgvec.collections) is
  'The row of an adopted collection with source, embedding_column, dimensions and storage of the present columns. source_columns is null where the key or the vector '
  'is gone: pgvec.scoped then refuses to search.';
revoke all on function pgvec.current_adoption(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.current_adoption(pgvec.collections)', 'reader');
