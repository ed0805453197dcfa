-- pgvec.finish_model_change -- makes the new model of a collection the active one, in one short transaction.
-- The new columns take the names of the old ones, which get the suffix _old and answer queries of their dimensions until
-- pgvec.drop_old_model. Checked before the lock and again behind it, where the partial index makes it quick. The lock is waited
-- for a third of a second at most, since searches wait behind it: on 55P03 try again. Searches that began before it look again
-- behind the lock (pgvec.fitting), so none meets a vector of other dimensions.
create or replace function pgvec.finish_model_change(collection text, allow_missing bigint default 0)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set lock_timeout = '300ms'
as $$
declare
  target  pgvec.collections := pgvec.collection(finish_model_change.collection);
  change  pgvec.model_changes;
  missing bigint;
begin
  select m.* into change from pgvec.model_changes as m where m.collection = target.name;
  if change.state = 'old' then
    return;  -- done before
  elsif change.state is null then
    perform pgvec.refuse_change(target.name);
  end if;
  if exists (select from pgvec.model_change_statements(target.name)) then
    raise exception using
      errcode = 'PV004',
      message = format('the new model of collection %L has not all indexes yet', target.name),
      hint    = format('run the statements of pgvec.model_change_statements(%L); or pgvec-admin model finish %s', target.name, target.name);
  end if;
  for round in 1 .. 2 loop
    missing := pgvec.model_change_missing(target.name);
    if missing > coalesce(allow_missing, 0) then
      raise exception using
        errcode = 'PV004',
        message = format('%s rows of collection %L have no vector of %s', missing, target.name, change.model),
        hint    = format('pgvec-admin embed --collection %s; with some that cannot be embedded: allow_missing => %s', target.name, missing);
    end if;
    if round = 1 then
      execute format('lock table %s in access exclusive mode', target.base);
    end if;
  end loop;
  select c.* into target from pgvec.collections as c where c.name = target.name;
  perform pgvec.swap_models(target, change);
end
$$;
comment on function pgvec.finish_model_change(text, bigint) is
  'Makes the model that a collection is being changed to (pgvec.begin_model_change) the active one. allow_missing: so many rows may have no vector of it yet; they '
  'are stale then. '
  'Finished before, it does nothing. Raises PV001, PV004 where rows or indexes are missing or no change goes on, 55P03 where the table is in use: try again.';
revoke all on function pgvec.finish_model_change(text, bigint) from public;
