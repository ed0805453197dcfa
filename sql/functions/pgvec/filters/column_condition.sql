-- pgvec.column_condition -- a filter over a collection's table as an SQL condition on its columns.
-- Keys that are columns compare with them, and so reach their indexes (in our own tables: pgvec.own_column); others look into the metadata. Values are appended
-- to bound and read from the parameter $2 by their place; names come from the catalog.
create or replace function pgvec.column_condition(collection pgvec.collections, filter jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts    text[] := '{}'::text[];
  branches text[];
  others   jsonb := '{}'::jsonb;
  item     record;
  branch   jsonb;
begin
  for item in
    select e.key, e.value, a.attnum, format_type(a.atttypid, -1) as type, t.typcategory as category
      from jsonb_each(filter) as e
      left join pg_catalog.pg_attribute as a
        on a.attrelid = collection.base
       and a.attname = e.key
       and a.attnum > 0
       and not a.attisdropped
      left join pg_catalog.pg_type as t on t.oid = a.atttypid
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      branches := '{}';
      for branch in
        select jsonb_array_elements(item.value)
      loop
        select c.bound, c.condition into bound, condition from pgvec.column_condition(collection, branch, bound) as c;
        branches := branches || coalesce(nullif(condition, ''), 'true');
      end loop;
      parts := parts || format('(%s)', array_to_string(branches, case item.key when '$and' then ' and ' else ' or ' end));
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      select c.bound, c.condition into bound, condition from pgvec.column_condition(collection, item.value, bound) as c;
      parts := parts || format('(%s) is not true', condition);
    elsif item.attnum is null then
      others := others || jsonb_build_object(item.key, item.value);
    elsif collection.base = collection.relation then
      select c.bound, c.condition into bound, condition from pgvec.own_column(collection, item.key, item.value, bound) as c;
      parts := parts || condition;
    else
      select c.bound, c.condition into bound, condition
        from pgvec.compare_column(item.key, 'd.c' || item.attnum, item.type, item.category::text, item.value, bound) as c;
      parts := parts || condition;
    end if;
  end loop;

  if others <> '{}' then
    select m.bound, m.condition into bound, condition from pgvec.metadata_condition('d.metadata', others, bound) as m;
    parts := parts || condition;
  end if;
  condition := array_to_string(parts, ' and ');
end
$$;
comment on function pgvec.column_condition(pgvec.collections, jsonb, jsonb) is
  'The condition on rows d of a collection''s table, or of the view over an adopted one, for a filter, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.column_condition(pgvec.collections, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.column_condition(pgvec.collections, jsonb, jsonb)', 'reader');
