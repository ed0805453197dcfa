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
  split_by constant text := (select pg_get_partkeydef(t.partrelid) from pg_catalog.pg_partitioned_table as t where t.partrelid = relation);
  is_virtual boolean;
begin
  column_name := coalesce(id_column, case when cardinality(primary_key) = 1 then primary_key[1] end);
  if column_name is null then
    raise exception using
      errcode = 'PV004',
      message = case cardinality(primary_key)
                  when 0 then format('table %s has no primary key', relation)
                  else format('the primary key of %s has %s columns: %s', relation, cardinality(primary_key), array_to_string(primary_key, ', '))
                end,
      hint    = case
                  when split_by is null then format('rows are identified by one column: alter table %s add column search_id bigint generated always as identity unique; '
                                                    'then pass id_column => ''search_id''', relation)
                  else format('a table that is partitioned by %s has no unique column but that one; adopt its partitions, each as a collection: '
                              'alter table %s add unique (%I); then pass id_column => %4$L',
                              split_by,
                              coalesce((select min(i.inhrelid::regclass::text) from pg_catalog.pg_inherits as i where i.inhparent = relation), 'PARTITION'),
                              coalesce((select k from unnest(primary_key) as k where strpos(split_by, k) = 0 limit 1), 'id'),
                              coalesce((select k from unnest(primary_key) as k where strpos(split_by, k) = 0 limit 1), 'id'))
                end;
  end if;
  perform pgvec.check_columns(relation, array[column_name::text]);

  select format_type(a.atttypid, a.atttypmod), a.attgenerated = 'v' into column_type, is_virtual
    from pg_catalog.pg_attribute as a
   where a.attrelid = relation
     and a.attname = column_name;
  if is_virtual or column_type !~ '^(smallint|integer|bigint|uuid|text|character varying(\(\d+\))?)$' then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is of type %s, which cannot be an id', column_name, relation, column_type || case when is_virtual then ' and computed when it is read' else '' end),
      hint    = 'a column of type smallint, integer, bigint, uuid, text or varchar';
  end if;
  if not exists (select
                   from pg_catalog.pg_index as x
                   join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
                  where x.indrelid = relation
                    and x.indisunique
                    and x.indisvalid
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
