-- pgvec.fit_side -- lets the side table of an adopted table hold the keys that this has now.
-- Where the key became another kind of value, what is there and what comes fit text alone. Earlier releases kept the type of
-- the table, and a foreign key, which keeps the application from TRUNCATE.
create or replace function pgvec.fit_side(adopted pgvec.adoptions)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted constant text := pgvec.key_type(adopted.id_type);
  found  constant text := pgvec.side_type(adopted.side);
  item   name;
begin
  for item in
    select c.conname from pg_catalog.pg_constraint as c where c.conrelid = adopted.side and c.contype = 'f' and c.conparentid = 0
  loop
    execute format('alter table %s drop constraint %I', adopted.side, item);
  end loop;
  if found = wanted or found = 'text' or adopted.id_type is null then
    return;
  end if;
  execute format('drop policy if exists follow_the_table on %s', adopted.side);
  execute format('alter table %s alter column id type %s', adopted.side, case when pgvec.key_type(found) = wanted then wanted else 'text using id::text' end);
  perform pgvec.protect_side(adopted.collection);
exception when object_in_use then
  null;  -- a query of this session reads it: the next write does it
end
$$;
comment on function pgvec.fit_side(pgvec.adoptions) is
  'Changes the type of column id of a side table to one that holds the keys of the adopted table, and drops its foreign key.';
revoke all on function pgvec.fit_side(pgvec.adoptions) from public;
