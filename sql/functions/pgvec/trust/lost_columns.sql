-- pgvec.lost_columns -- what an adopted table no longer has of the columns that a collection needs, each as a phrase.
create or replace function pgvec.lost_columns(collection pgvec.collections)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array_remove(array[
           case when a.id_column is null then format('the column that was the key of %s is gone', c.base) end,
           case
             when v.type is null then format('the column of vectors of %s is gone', c.base)
             when v.type not in ('vector', 'halfvec') then format('column %I of %s is of type %s', v.name, c.base, v.type)
           end,
           case when cardinality(a.content_columns) = 0 then format('no column of the text of %s is left', c.base) end,
           case when a.metadata_number is not null and a.metadata_column is null then format('the column of metadata of %s is gone', c.base) end,
           case when cardinality(a.added_columns) < cardinality(a.added_numbers) then format('columns that adoption added to %s are gone', c.base) end], null)
    from (select (lost_columns.collection).name, (lost_columns.collection).base) as c
   cross join lateral pgvec.adopted(c.name) as a
    left join lateral (
         select t.typname as type, p.attname as name
           from pg_catalog.pg_attribute as p
           join pg_catalog.pg_type as t on t.oid = p.atttypid
          where p.attrelid = c.base and p.attnum = a.embedding_number and not p.attisdropped) as v on true
   where a.collection is not null
$$;
comment on function pgvec.lost_columns(pgvec.collections) is
  'The columns of an adopted table that were dropped, or whose type no search can read, each as a phrase; empty where nothing is missing, null for a table of our own.';
revoke all on function pgvec.lost_columns(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.lost_columns(pgvec.collections)', 'reader');
