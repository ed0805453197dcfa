-- pgvec.bind_model -- records which model embeds a collection, after checking that its vectors fit.
-- The check belongs here, before the first text is paid for, and not at the first insert.
-- Rows know what has made their vectors: those of another model are embedded anew. The same model by another name has the same number.
drop function if exists pgvec.bind_model(text, text, int);

create or replace function pgvec.bind_model(collection text, model text, dimensions int, same_model boolean default false)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.collection(collection);
begin
  perform pgvec.check_model(bind_model.model);
  if bind_model.dimensions is distinct from found_row.dimensions then
    raise exception using
      errcode = 'PV002',
      message = format('model %s has %s dimensions, collection %L has %s',
                       bind_model.model, coalesce(bind_model.dimensions::text, 'no'), found_row.name, found_row.dimensions),
      hint    = format('choose a model of %s dimensions, or make a collection of %s', found_row.dimensions,
                       coalesce(bind_model.dimensions::text, 'the model''s'));
  end if;

  if exists (select from pgvec.model_changes as m where m.collection = found_row.name and (m.state = 'pending' or m.model = bind_model.model)) then
    raise exception using
      errcode = 'PV004',
      message = format('the model of collection %L is being changed', found_row.name),
      hint    = format('pgvec.finish_model_change and pgvec.drop_old_model end that, or pgvec.abort_model_change: select * from pgvec.model_change_status(%L)', found_row.name);
  end if;
  if same_model and exists (select from pgvec.collections as c where c.model = bind_model.model and c.name <> found_row.name) then
    raise exception using
      errcode = 'PV004',
      message = format('%s is the model of another collection already', bind_model.model),
      hint    = 'that it is the same model is told once, when its first collection is bound by the new name; leave same_model out, and the rows are embedded anew';
  elsif same_model and found_row.model is not null then
    insert into pgvec.models (name, id) values (bind_model.model, pgvec.model_id(found_row.model)) on conflict (name) do update set id = excluded.id;
  end if;
  update pgvec.collections as c
     set model = bind_model.model
   where c.name = found_row.name;
  perform pgvec.keep_queue(found_row.name);
end
$$;
comment on function pgvec.bind_model(text, text, int, boolean) is
  'Sets the embedding model of a collection (provider:name). Rows that another model has embedded are stale then; vectors of which that is not recorded are taken to be that '
  'model''s. same_model: it is the present one by another name, and no row is stale. Raises PV001 for an unknown collection, PV002 where '
  'the model''s dimensions are not the collection''s, PV004 for a malformed model, and while the model is changed.';
revoke all on function pgvec.bind_model(text, text, int, boolean) from public;
