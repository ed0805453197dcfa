-- pgvec.forget_account -- deletes what is left of an account that was deleted, beside the rows that belonged to it.
-- Its searches, its memberships, and where it was a tenant the statistics and the resume points of that. Deferred, to the end of
-- the transaction, when the triggers on its rows have counted the last words.
-- Definer: whoever deletes accounts, such as Supabase's supabase_auth_admin, may not read these tables. It acts on tables of
-- accounts that the registry knows, and reads their key alone, whose type is looked at again.
create or replace function pgvec.forget_account()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  key   name;
  gone  uuid;
  owned text[] := array(select c.name from pgvec.collections as c where c.owner_table in (select tg_relid union all select a from pg_partition_ancestors(tg_relid) as a));
  ruled text[] := array(select c.name from pgvec.collections as c where c.name = any (owned) and c.owner_column = 'tenant_id' and c.access = 'tenant');
begin
  select a.attname into key
    from pg_catalog.pg_index as x
    join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
   where x.indrelid = tg_relid
     and x.indisprimary
     and x.indnkeyatts = 1
     and a.atttypid = 'uuid'::regtype;
  if owned = '{}' or key is null then
    return null;
  end if;
  execute format('select ($1).%I', key) into gone using old;

  delete from pgvec.search_log as l where l.owner = gone;
  delete from pgvec.memberships as m where m.member = gone or m.tenant_id = gone;
  if ruled <> '{}' then
    delete from pgvec.search_log as l where l.tenants[1] = gone and l.collection = any (ruled);
    delete from pgvec.search_log as l where l.collection = any (ruled) and cardinality(l.tenants) > 1 and gone = any (l.tenants);
    delete from pgvec.loads as l where l.collection = any (ruled) and l.tenant = gone;
    delete from pgvec.lexemes as l where l.collection = any (ruled) and l.tenant = gone;
    delete from pgvec.postings as p where p.collection = any (ruled) and p.tenant = gone;
    delete from pgvec.posted_ids as p where p.collection = any (ruled) and p.tenant = gone;
    delete from pgvec.posting_changes as p where p.collection = any (ruled) and p.tenant = gone;
    delete from pgvec.text_totals as t where t.collection = any (ruled) and t.tenant = gone;
    delete from pgvec.bm25_parameters as p where p.collection = any (ruled) and p.tenant = gone;
  end if;
  return null;
end
$$;
comment on function pgvec.forget_account() is
  'Trigger of a table of accounts (pgvec.set_owner), after DELETE of a row, deferred: deletes the account''s logged searches and memberships, and where it is a tenant the '
  'statistics and resume points of that.';
revoke all on function pgvec.forget_account() from public;
select pgvec.grant_execute('pgvec.forget_account()', 'owner');
