-- pgvec.drop_collection -- removes a collection with its table and all its rows.
create or replace function pgvec.drop_collection(name text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  dropped  regclass;
  accounts regclass;
begin
  if exists (select from pgvec.adoptions as a where a.collection = drop_collection.name) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is an adopted table, which is not dropped', name),
      hint    = format('select pgvec.release_collection(%L); or pgvec-admin collection release %s', name, name);
  end if;

  perform pgvec.forget_lexemes(drop_collection.name);
  delete from pgvec.search_log as l where l.collection = drop_collection.name;
  delete from pgvec.embedding_jobs as j where split_part(j.collection, '@', 1) = drop_collection.name;
  delete from pgvec.collections as c
   where c.name = drop_collection.name
  returning c.relation, c.owner_table into dropped, accounts;

  if dropped is null then
    perform pgvec.collection(drop_collection.name);  -- raises PV001 with the known names
  end if;
  if exists (select from pg_catalog.pg_class as r where r.oid = dropped) then
    perform pgvec.drop_copies(dropped);
    execute format('drop table %s', dropped);
  end if;
  perform pgvec.leave_owner(accounts);
  perform pgvec.drop_collection_api(drop_collection.name);
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.drop_collection(text) is
  'Drops a collection: its table with all rows and indexes, and its registry row. Raises PV001 for an unknown name, PV004 for an adopted table.';
revoke all on function pgvec.drop_collection(text) from public;
