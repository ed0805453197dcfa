-- pgvec.adopted -- what was adopted with a table, with the present names of its columns; null where nothing was.
-- Columns are known by their number, which a rename leaves alone. A restored database has other numbers, and the names of
-- the last look (pgvec.renew_adoption).
create or replace function pgvec.adopted(collection text)
  returns pgvec.adoptions
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.adoptions;
  held_by   regclass;
begin
  select a.* into found_row from pgvec.adoptions as a where a.collection = adopted.collection;
  if found_row.collection is null then
    return null;
  end if;
  select c.base into held_by from pgvec.collections as c where c.name = adopted.collection;
  if found_row.base_oid is distinct from held_by::oid then
    select (select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = held_by and t.attname = found_row.id_column),
           array(select t.attnum from unnest(found_row.content_columns) with ordinality as u (name, place)
                   join pg_catalog.pg_attribute as t on t.attrelid = held_by and t.attname = u.name order by u.place),
           (select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = held_by and t.attname = found_row.metadata_column),
           (select t.attnum from pgvec.collections as c join pg_catalog.pg_attribute as t on t.attrelid = held_by and t.attname = c.embedding_column
             where c.name = adopted.collection),
           array(select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = held_by and t.attname = any (found_row.added_columns)),
           held_by::oid
      into found_row.id_number, found_row.content_numbers, found_row.metadata_number, found_row.embedding_number, found_row.added_numbers, found_row.base_oid;
  end if;

  select max(t.attname) filter (where t.attnum = found_row.id_number),
         max(format_type(t.atttypid, t.atttypmod)) filter (where t.attnum = found_row.id_number),
         coalesce(array_agg(t.attname order by array_position(found_row.content_numbers, t.attnum)) filter (where t.attnum = any (found_row.content_numbers)), '{}'),
         max(t.attname) filter (where t.attnum = found_row.metadata_number),
         coalesce(array_agg(t.attname) filter (where t.attnum = any (found_row.added_numbers)), '{}')
    into found_row.id_column, found_row.id_type, found_row.content_columns, found_row.metadata_column, found_row.added_columns
    from pg_catalog.pg_attribute as t
   where t.attrelid = held_by
     and t.attnum > 0
     and not t.attisdropped;
  return found_row;
end
$$;
comment on function pgvec.adopted(text) is
  'The row of pgvec.adoptions of a collection with the present names and numbers of its columns, null or left out where one was dropped, and the present type of its key. '
  'Null for a collection that was not adopted.';
revoke all on function pgvec.adopted(text) from public;
select pgvec.grant_execute('pgvec.adopted(text)', 'reader');
