-- pgvec.bind_model -- records which model embeds a collection, after checking that its vectors fit.
-- The check belongs here, before the first text is paid for, and not at the first insert.
create or replace function pgvec.bind_model(collection text, model text, dimensions int)
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

  update pgvec.collections as c
     set model = bind_model.model
   where c.name = found_row.name;
  perform pgvec.keep_queue(found_row.name);
end
$$;
comment on function pgvec.bind_model(text, text, int) is
  'Sets the embedding model of a collection (provider:name); existing vectors are taken to be that model''s. Raises PV001 for an unknown collection, PV002 where '
  'the model''s dimensions are not the collection''s, PV004 for a malformed model.';
revoke all on function pgvec.bind_model(text, text, int) from public;
