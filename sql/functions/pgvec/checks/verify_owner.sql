-- pgvec.verify_owner -- whether the rows of a collection still go with the accounts that they belong to.
create or replace function pgvec.verify_owner(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections := pgvec.collection(verify_owner.collection);
  is_there  constant boolean := exists (select from pg_catalog.pg_class as r where r.oid = target.owner_table);
  number    constant int2 := (select a.attnum from pg_catalog.pg_attribute as a where a.attrelid = target.base and a.attname = target.owner_column and not a.attisdropped);
  reference pg_catalog.pg_constraint;
  problems  text[];
begin
  select f.* into reference
    from pg_catalog.pg_constraint as f
   where f.conrelid = target.base
     and f.contype = 'f'
     and f.confrelid = target.owner_table
     and f.conkey = array[number]
   order by f.confdeltype <> 'c', not f.convalidated
   limit 1;
  problems := case
    when target.owner_table is null then null
    when not is_there then array['the table of its accounts is gone']
    when number is null then array[format('column %I, whose row it is, is gone', target.owner_column)]
    else array[
      case when reference.oid is null then format('column %I does not refer to %s any more', target.owner_column, target.owner_table)
           when reference.confdeltype <> 'c' then format('%s does not delete rows with their account', reference.conname)
           when not reference.convalidated then format('%s was not checked for the rows there are', reference.conname)
           when exists (select from pg_catalog.pg_trigger as t where t.tgconstraint = reference.oid and t.tgenabled not in ('O', 'A'))
             then format('the triggers of %s are disabled', reference.conname) end,
      case when not exists (select from pg_catalog.pg_index as x where x.indrelid = target.base and x.indisvalid and x.indkey[0] = number)
           then format('no index on %I: deleting an account reads the whole table', target.owner_column) end,
      case when not exists (select from pg_catalog.pg_trigger as t
                             where t.tgrelid = target.owner_table and t.tgfoid = 'pgvec.forget_account()'::regprocedure and t.tgenabled in ('O', 'A'))
           then format('no trigger of %s deletes searches and memberships of an account', target.owner_table) end]
  end;
  return next pgvec.verdict(
    target.name, 'accounts', array_remove(problems, null),
    case when target.owner_table is null then 'its rows belong to no accounts' else format('its rows go with those of %s', target.owner_table) end,
    format('pgvec.set_owner puts back what is gone; what is disabled the owner of the table enables%s',
           case when reference.confdeltype <> 'c' or not reference.convalidated then '; drop the foreign key first, or validate it' end),
    case when is_there and number is not null and (reference.oid is null or reference.confdeltype = 'c' and reference.convalidated) then format('select pgvec.set_owner(%L, %L, %L);', target.name, target.owner_table, target.owner_column) end);
end
$$;
comment on function pgvec.verify_owner(text) is
  'Check accounts of a collection (pgvec.set_owner): the foreign key that deletes its rows, the index for it, and the trigger on the table of the accounts. Raises PV001.';
revoke all on function pgvec.verify_owner(text) from public;
