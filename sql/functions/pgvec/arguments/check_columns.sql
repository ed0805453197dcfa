-- pgvec.check_columns -- PV004 unless a table has these columns; nulls are skipped.
create or replace function pgvec.check_columns(relation regclass, columns text[])
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  present text[] := array(
    select a.attname::text
      from pg_catalog.pg_attribute as a
     where a.attrelid = relation
       and a.attnum > 0
       and not a.attisdropped
     order by a.attnum);
  missing text := (select c from unnest(columns) as c where c <> all (present) limit 1);
begin
  if missing is not null then
    raise exception using
      errcode = 'PV004',
      message = format('table %s has no column %s', relation, pgvec.shown(missing)),
      hint    = format('its columns: %s', array_to_string(present, ', '));
  end if;
end
$$;
comment on function pgvec.check_columns(regclass, text[]) is 'Raises PV004 for the first column that a table lacks, and lists those that it has.';
revoke all on function pgvec.check_columns(regclass, text[]) from public;
