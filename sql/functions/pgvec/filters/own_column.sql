-- pgvec.own_column -- what a filter says of a key that is a column of a collection's own table, as an SQL condition.
-- A row whose metadata has the key too is judged by the metadata, where the key was looked up before there were filters over columns.
-- Written so that both halves can use their indexes. The owner of the engine searches rows of tenants by it, so no code of another role
-- may run: a column is compared by the server's own types, a domain by the type that it is made of, and any other type by its text, which
-- its output function makes (a cast to text could be its creator's).
create or replace function pgvec.own_column(collection pgvec.collections, key text, value jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  column_value text := format('d.%I', key);
  of_column    text;
  of_metadata  text;
  made_of      pg_catalog.pg_type;
  is_domain    boolean := false;
begin
  select t.* into strict made_of
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
   where a.attrelid = collection.base
     and a.attname = key;
  while made_of.typtype = 'd' loop
    is_domain := true;
    select t.* into strict made_of from pg_catalog.pg_type as t where t.oid = made_of.typbasetype;
  end loop;

  if made_of.typnamespace = 'pg_catalog'::regnamespace then
    column_value := concat(column_value, case when is_domain then '::' || format_type(made_of.oid, -1) end);
  elsif made_of.typcategory = 'A' then
    column_value := format('case when %1$s is not null then array(select format(''%%s'', e) from unnest(%1$s) as e) end', column_value);
    select t.* into strict made_of from pg_catalog.pg_type as t where t.oid = 'text[]'::regtype;
  else
    column_value := format('case when %1$s is not null then format(''%%s'', %1$s) end', column_value);
    select t.* into strict made_of from pg_catalog.pg_type as t where t.oid = 'text'::regtype;
  end if;

  select c.bound, c.condition into bound, of_column
    from pgvec.compare_column(key, format('(%s)', column_value), format_type(made_of.oid, -1), made_of.typcategory::text, value, bound) as c;
  select m.bound, m.condition into bound, of_metadata
    from pgvec.metadata_condition('d.metadata', jsonb_build_object(key, value), bound) as m;
  condition := format('(d.metadata ? %1$L and (%2$s) or not d.metadata ? %1$L and (%3$s))', key, of_metadata, of_column);
end
$$;
comment on function pgvec.own_column(pgvec.collections, text, jsonb, jsonb) is
  'The condition on rows d of a collection''s own table for a filter''s value at a key that is one of its columns: by the metadata of rows that have the key there, '
  'by the column of all others; and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.own_column(pgvec.collections, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.own_column(pgvec.collections, text, jsonb, jsonb)', 'reader');
