-- pgvec.refuse_trigger -- raises PV004 from a trigger of ours that is attached to the wrong table.
create or replace function pgvec.refuse_trigger(collection text, relation regclass)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections;
begin
  select c.* into target from pgvec.collections as c where c.name = refuse_trigger.collection;
  raise exception using
    errcode = 'PV004',
    message = format('%s is not the table of collection %s as the engine made it', relation, pgvec.shown(collection)),
    detail  = array_to_string(pgvec.foreign_columns(target), '; '),
    hint    = 'drop the trigger, or give the columns their types back: pgvec-admin verify tells them';
end
$$;
comment on function pgvec.refuse_trigger(text, regclass) is
  'Raises PV004: for a trigger function of the engine on a table that the registry does not have under that collection, or whose columns have other types.';
revoke all on function pgvec.refuse_trigger(text, regclass) from public;
