-- pgvec.adopted_key -- the column that identifies the rows of a table to adopt, or PV004.
create or replace function pgvec.adopted_key(relation regclass, id_column text, out column_name name, out column_type text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  primary_key name[] := array(
    select a.attname
      from pg_catalog.pg_index as x
      join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = any (x.indkey)
     where x.indrelid = relation
       and x.indisprimary
     order by array_position(x.indkey::int2[], a.attnum));
begin
  column_name := coalesce(id_column, case when cardinality(primary_key) = 1 then primary_key[1] end);
  if column_name is null then
    raise exception using
      errcode = 'PV004',
      message = case cardinality(primary_key)
                  when 0 then format('table %s has no primary key', relation)
                  else format('the primary key of %s has %s columns: %s', relation, cardinality(primary_key), array_to_string(primary_key, ', '))
                end,
      hint    = format('rows are identified by one column: alter table %s add column search_id bigint generated always as identity unique; '
                       'then pass id_column => ''search_id''', relation);
  end if;
  perform pgvec.check_columns(relation, array[column_name::text]);

  select format_type(a.atttypid, a.atttypmod) into column_type
    from pg_catalog.pg_attribute as a
   where a.attrelid = relation
     and a.attname = column_name;
  if column_type !~ '^(smallint|integer|bigint|uuid|text|character varying(\(\d+\))?)$' then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is of type %s, which cannot be an id', column_name, relation, column_type),
      hint    = 'a column of type smallint, integer, bigint, uuid, text or varchar';
  end if;
  if not exists (select
                   from pg_catalog.pg_index as x
                   join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
                  where x.indrelid = relation
                    and x.indisunique
                    and x.indpred is null
                    and x.indnkeyatts = 1
                    and a.attname = column_name) then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is not unique', column_name, relation),
      hint    = format('alter table %s add unique (%I)', relation, column_name);
  end if;
end
$$;
comment on function pgvec.adopted_key(regclass, text) is
  'Name and type of the column that identifies the rows of a table: the one given, or its primary key. Raises PV004 for a composite, missing, non-unique or unsuitable one.';
revoke all on function pgvec.adopted_key(regclass, text) from public;
