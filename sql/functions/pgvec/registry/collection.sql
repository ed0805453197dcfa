-- pgvec.collection -- the registry row of a collection, or PV001.
-- Every engine function begins here, so the error for a mistyped name is the same everywhere.
-- That of an adopted table is as its columns are now: the query is that of pgvec.column_state, written out, since a call would
-- cost as much again.
create or replace function pgvec.collection(name text)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections;
begin
  select c.* into found_row
    from pgvec.collections as c
   where c.name = collection.name;

  if found_row.name is null then
    raise exception using
      errcode = 'PV001',
      message = format('there is no collection %s', pgvec.shown(collection.name)),
      hint    = format('collections: %s', (select coalesce(string_agg(c.name, ', ' order by c.name), 'none yet; select pgvec.create_collection(name, dimensions) makes one') from pgvec.collections as c));
  end if;

  -- null for a missing table, and quicker than a query
  if has_table_privilege(found_row.base, 'select') is null then
    raise exception using
      errcode = 'PV001',
      message = format('the table of collection %L was dropped', collection.name),
      hint    = format(case when found_row.base = found_row.relation then 'select pgvec.drop_collection(%L); then create it again' else 'select pgvec.release_collection(%L)' end, collection.name);
  end if;
  if found_row.base <> found_row.relation
     and found_row.source_columns is distinct from (
           select md5(string_agg(concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum)
                     || found_row.base::oid || found_row.base)
             from pg_catalog.pg_attribute as a
            where a.attrelid = found_row.base
              and a.attnum > 0)
  then
    return pgvec.current_adoption(found_row);
  end if;
  return found_row;
end
$$;
comment on function pgvec.collection(text) is 'The registry row of a collection. Raises PV001 for an unknown name, and for a collection whose table was dropped.';
revoke all on function pgvec.collection(text) from public;
select pgvec.grant_execute('pgvec.collection(text)', 'reader');
