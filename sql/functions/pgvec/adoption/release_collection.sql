-- pgvec.release_collection -- undoes an adoption: the table stays, as it was before.
-- Vector indexes with the collection's name were built for it, and are dropped too.
create or replace function pgvec.release_collection(name text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
  item    text;
begin
  select c.* into target from pgvec.collections as c where c.name = release_collection.name;
  adopted := pgvec.adopted(target.name);
  if target.name is null then
    perform pgvec.collection(release_collection.name);  -- raises PV001 with the known names
  end if;
  if adopted.collection is null then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is no adopted table', target.name),
      hint    = format('its table is its own: select pgvec.drop_collection(%L)', target.name);
  end if;

  perform pgvec.forget_lexemes(target.name);
  delete from pgvec.search_log as l where l.collection = target.name;
  delete from pgvec.embedding_jobs as j where j.collection = target.name;
  execute format('drop view if exists pgvec.%I', 'adopted_' || target.name);
  execute format('drop table if exists pgvec.%I', 'side_' || target.name);
  if not exists (select from pg_catalog.pg_class as r where r.oid = target.base) then
    -- the table itself was dropped
    delete from pgvec.collections as c where c.name = target.name;
    perform pgvec.leave_owner(target.owner_table);
    return null;
  end if;
  target := pgvec.current_adoption(target);

  for item in
    select t.tgname
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where t.tgrelid = target.base
       and p.pronamespace = 'pgvec'::regnamespace
       and t.tgname = any (array[target.name || '_maintain', target.name || '_forget', target.name || '_empty'] || array(select target.name || k || e from unnest('{insert,update,delete,truncate}'::text[]) as e, unnest('{_count_,_queue_}'::text[]) as k))
  loop
    execute format('drop trigger %I on %s', item, target.base);
  end loop;
  for item in
    select format('%I.%I', n.nspname, r.relname)
      from pg_catalog.pg_index as x
      join pg_catalog.pg_class as r on r.oid = x.indexrelid
      join pg_catalog.pg_am as m on m.oid = r.relam
      join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
     where x.indrelid = target.base
       and m.amname in ('hnsw', 'ivfflat')
       and starts_with(r.relname, target.name || '_' || target.embedding_column)
  loop
    execute format('drop index %s', item);
  end loop;
  for item in
    select c from unnest(adopted.added_columns) as c
  loop
    execute format('alter table %s drop column if exists %I', target.base, item);
  end loop;
  delete from pgvec.collections as c where c.name = target.name;
  perform pgvec.leave_owner(target.owner_table);
  perform pgvec.drop_collection_api(target.name);
  perform pg_notify('pgrst', 'reload schema');
  return target.base;
end
$$;
comment on function pgvec.release_collection(text) is
  'Undoes pgvec.adopt_collection: drops the view, the side table, the trigger, the columns that were added and the vector indexes that were built for the collection. '
  'Returns the table, which stays with its rows; null where it is gone. Raises PV001, PV004 for a collection that was not adopted.';
revoke all on function pgvec.release_collection(text) from public;
