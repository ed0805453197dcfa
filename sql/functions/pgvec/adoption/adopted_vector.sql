-- pgvec.adopted_vector -- dimensions and storage of the embedding column of a table to adopt, or PV004.
create or replace function pgvec.adopted_vector(
    relation regclass, embedding_column text, wanted int, out is_new boolean, out storage text, out dimensions int)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  select case when a.atttypid in ('extensions.vector'::regtype, 'extensions.halfvec'::regtype) then t.typname else format_type(a.atttypid, null) end,
         nullif(a.atttypmod, -1)
    into storage, dimensions
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
   where a.attrelid = relation
     and a.attname = embedding_column
     and not a.attisdropped;
  is_new := storage is null;
  if is_new then
    storage := 'vector';
  elsif storage not in ('vector', 'halfvec') then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is of type %s, not vector or halfvec', embedding_column, relation, storage),
      hint    = 'name a column that holds vectors, or one that does not exist yet, with dimensions';
  end if;

  if dimensions is not null and wanted <> dimensions then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s has %s dimensions, not %s', embedding_column, relation, dimensions, wanted),
      hint    = 'leave dimensions out: the column has its own';
  end if;
  dimensions := coalesce(dimensions, wanted);
  if dimensions is null or dimensions not between 1 and 16000 then
    raise exception using
      errcode = 'PV004',
      message = case when is_new
                  then format('table %s has no column %I', relation, embedding_column)
                  else format('column %I of %s is declared without dimensions', embedding_column, relation)
                end,
      hint    = 'pass dimensions, those of the embedding model (1 to 16000), or name another embedding_column';
  end if;
  if not is_new then
    execute format('select true from %s as b where extensions.vector_dims(b.%I) <> $1 limit 1', relation, embedding_column)
      into is_new
      using dimensions;
    if is_new then
      raise exception using
        errcode = 'PV004',
        message = format('column %I of %s holds vectors of other dimensions than %s', embedding_column, relation, dimensions),
        hint    = 'a collection holds vectors of one model';
    end if;
    is_new := false;
  end if;
end
$$;
comment on function pgvec.adopted_vector(regclass, text, int) is
  'Whether the embedding column of a table has to be made, its storage (vector, halfvec) and dimensions. Raises PV004 for a column that cannot be searched.';
revoke all on function pgvec.adopted_vector(regclass, text, int) from public;
