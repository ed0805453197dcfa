-- pgvec.check_readable -- PV003 unless the caller may read the columns of a table that a filter names.
-- Where the owner of the table searches for the caller, the server does not ask.
create or replace function pgvec.check_readable(relation regclass, filter jsonb)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  hidden name;
begin
  if has_table_privilege(pgvec.caller(), relation, 'select') then
    return;
  end if;
  hidden := (
    select a.attname
      from pg_catalog.pg_attribute as a
     where a.attrelid = relation
       and a.attnum > 0
       and not a.attisdropped
       and strpos(filter::text, to_json(a.attname::text) || ': ') > 0
       and not has_column_privilege(pgvec.caller(), relation, a.attnum, 'select')
     order by a.attnum
     limit 1);
  if hidden is not null then
    raise exception using
      errcode = 'PV003',
      message = format('the filter has a key %I, a column of table %s that the caller may not read', hidden, relation),
      hint    = format('leave the key out; or have the owner grant it: grant select (%I) on %s to %I', hidden, relation, pgvec.caller());
  end if;
end
$$;
comment on function pgvec.check_readable(regclass, jsonb) is
  'Raises PV003 where a filter, which pgvec.parse_filter has read, has a key that is a column of the table which the caller may not read.';
revoke all on function pgvec.check_readable(regclass, jsonb) from public;
select pgvec.grant_execute('pgvec.check_readable(regclass, jsonb)', 'reader');
