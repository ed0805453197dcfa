-- pgvec.leave_owner -- removes the trigger of accounts from their table, once no collection has rows of them.
-- Only the owner of a table may drop a trigger; on another's, such as Supabase's auth.users, it stays and does nothing.
create or replace function pgvec.leave_owner(relation regclass)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item name;
begin
  for item in
    select t.tgname
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_class as r on r.oid = t.tgrelid
     where t.tgrelid = leave_owner.relation
       and t.tgparentid = 0
       and t.tgfoid = to_regprocedure('pgvec.forget_account()')
       and pg_has_role(r.relowner, 'usage')
       and not exists (select from pgvec.collections as c where c.owner_table = leave_owner.relation)
  loop
    execute format('drop trigger %I on %s', item, leave_owner.relation);
  end loop;
end
$$;
comment on function pgvec.leave_owner(regclass) is
  'Drops the trigger of pgvec.set_owner from a table of accounts, if no collection refers to it any more and the current user owns it.';
revoke all on function pgvec.leave_owner(regclass) from public;
