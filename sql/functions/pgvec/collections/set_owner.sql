-- pgvec.set_owner -- has the rows of a collection belong to accounts, and go with them.
-- A foreign key deletes the rows; the triggers of the table their words and what waits to be embedded. What else there is of an
-- account, a trigger on its table deletes: pgvec.forget_account.
-- The column of the owner is our own, owner_id; or tenant_id, where each tenant is an account; of an adopted table any that
-- refers to accounts already, since its columns are the application's.
create or replace function pgvec.set_owner(collection text, owner text, owner_column text default null)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(set_owner.collection);
  account  record := pgvec.check_owner(set_owner.owner);
  adopted  constant boolean := target.base <> target.relation;
  referred name;
begin
  select a.attname into referred
    from pg_catalog.pg_constraint as f
    join pg_catalog.pg_attribute as a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
   where f.conrelid = target.base
     and f.contype = 'f'
     and f.confrelid = account.relation
     and f.confdeltype = 'c'
     and f.confkey = array[(select k.attnum from pg_catalog.pg_attribute as k where k.attrelid = account.relation and k.attname = account.key)]
     and a.attname = coalesce(owner_column, case when adopted then a.attname else 'owner_id' end)
   order by a.attnum
   limit 1;
  if adopted then
    if referred is null then
      raise exception using
        errcode = 'PV004',
        message = format('%s has no column%s that refers to %s and is deleted with it', target.base, coalesce(' ' || quote_ident(owner_column), ''), account.relation),
        hint    = format('alter table %s add foreign key (...) references %s on delete cascade; and index that column', target.base, account.relation);
    end if;
    owner_column := referred;
  else
    owner_column := coalesce(owner_column, 'owner_id');
    perform pgvec.check_choice('owner_column', owner_column, case target.access when 'tenant' then '{owner_id,tenant_id}' else '{owner_id}' end::text[]);
    if target.owner_table <> account.relation or target.owner_column <> owner_column::name then
      raise exception using
        errcode = 'PV004',
        message = format('rows of collection %L belong to %s by %I', target.name, target.owner_table, target.owner_column),
        hint    = 'a collection has one table of owners: make another collection for others';
    end if;
    if exists (select from pg_catalog.pg_attribute as a where a.attrelid = target.base and a.attname = set_owner.owner_column and a.atttypid <> 'uuid'::regtype) then
      raise exception using
        errcode = 'PV004',
        message = format('column %I of %s is no uuid, and cannot refer to %s', owner_column, target.base, account.relation),
        hint    = 'rename it: the column of the owner is made';
    end if;
    if owner_column = 'owner_id' then
      execute format('alter table %s add column if not exists owner_id uuid', target.base);
      execute format('alter table %s alter column owner_id set default %s', target.base,
                     case when pgvec.holds_users(account.relation) then 'pgvec.current_owner()' else 'pgvec.current_owner(false)' end);
      execute format('create index if not exists %I on %s (owner_id) where owner_id is not null', target.name || '_owner_idx', target.base);
      perform pgvec.describe_table(target.base);
    end if;
    if referred is null then
      execute format('alter table %s add constraint %I foreign key (%I) references %s (%I) on delete cascade',
                     target.base, target.name || '_owner_fkey', owner_column, account.relation, account.key);
    end if;
  end if;

  update pgvec.collections as c
     set owner_table = account.relation, owner_column = set_owner.owner_column
   where c.name = target.name;
  if target.access <> 'open' and not adopted then
    perform pgvec.hide_statistics(target.name);
  end if;
  if not exists (select from pg_catalog.pg_trigger as t where t.tgrelid = account.relation and t.tgfoid = 'pgvec.forget_account()'::regprocedure) then
    execute format('create constraint trigger pgvec_forget_account after delete on %s deferrable initially deferred for each row execute function pgvec.forget_account()',
                   account.relation);
  end if;
  perform pg_notify('pgrst', 'reload schema');
  return account.relation;
end
$$;
comment on function pgvec.set_owner(text, text, text) is
  'Has the rows of a collection belong to accounts of a table with a uuid as its key, such as auth.users: column owner_id, by default the user who inserts the row. Rows are '
  'deleted with their account, and so is what was logged of its searches. owner_column: tenant_id, where each tenant is an account; of an adopted table the column that refers to '
  'the accounts, with on delete cascade. Returns the table of the accounts. Raises PV001, PV004.';
revoke all on function pgvec.set_owner(text, text, text) from public;
