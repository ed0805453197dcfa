-- pgvec.side_type -- the type of the key of an adopted table's side table: bigint, uuid or text.
create or replace function pgvec.side_type(side regclass)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute as a where a.attrelid = side_type.side and a.attname = 'id'
$$;
comment on function pgvec.side_type(regclass) is 'The type of column id of a side table, as format_type gives it.';
revoke all on function pgvec.side_type(regclass) from public;
