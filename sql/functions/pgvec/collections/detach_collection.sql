-- pgvec.detach_collection -- turns a collection back into a plain table: rows, columns and indexes stay.
-- What refers to this engine is dropped: triggers, the policies of tenants, the default of tenant_id, functions named after it.
-- Row level security stays on, so that a table of tenants is not suddenly open to all.
create or replace function pgvec.detach_collection(name text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(detach_collection.name);
  item   record;
begin
  if target.base <> target.relation then
    return pgvec.release_collection(target.name);
  end if;
  perform pgvec.drop_collection_api(target.name);
  for item in
    select t.tgname
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where t.tgrelid = target.base
       and p.pronamespace = 'pgvec'::regnamespace
       and t.tgparentid = 0
  loop
    execute format('drop trigger %I on %s', item.tgname, target.base);
  end loop;
  -- nothing fills it any more
  execute format('alter table %s alter column content_hash drop not null, alter column content_hash drop default', target.base);
  if target.owner_column = 'owner_id' then
    execute format('alter table %s alter column owner_id drop default', target.base);
  end if;
  if target.access = 'tenant' then
    execute format('alter table %s alter column tenant_id drop default', target.base);
    for item in
      select p.polname
        from pg_catalog.pg_policy as p
       where p.polrelid = target.base
         and concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) like '%pgvec.allowed_tenants()%'
    loop
      execute format('drop policy %I on %s', item.polname, target.base);
    end loop;
  end if;
  for item in
    select p as part from pgvec.partitions(target.base) as p where p <> target.base
  loop
    execute format('alter table %s enable row level security', item.part);
    execute format('alter table %s set schema public', item.part);
  end loop;
  execute format('comment on table %s is null', target.base);
  perform pgvec.forget_lexemes(target.name);
  delete from pgvec.search_log as l where l.collection = target.name;
  delete from pgvec.embedding_jobs as j where split_part(j.collection, '@', 1) = target.name;
  delete from pgvec.collections as c where c.name = target.name;
  perform pgvec.leave_owner(target.owner_table);
  perform pg_notify('pgrst', 'reload schema');
  return target.base;
end
$$;
comment on function pgvec.detach_collection(text) is
  'Turns a collection back into a plain table, with its rows, columns and indexes but without the triggers that maintained them; an adopted one is released. '
  'Policies of tenants are dropped, and row level security stays on; partitions move into schema public. Returns the table. Raises PV001.';
revoke all on function pgvec.detach_collection(text) from public;
