-- pgvec.model_columns -- the registry row of the columns that vectors of a model are stored in.
-- pgvec.finish_model_change gives columns other names: the lock on the table is taken first, and the row is read behind it.
create or replace function pgvec.model_columns(collection text, model text)
  returns pgvec.collections
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(model_columns.collection);
  wanted constant text := model_columns.model;
  known  text;
begin
  if target.changing or wanted <> target.model or strpos(model_columns.collection, '@') > 0 then
    execute format('select from %s limit 0', target.base);
    target := pgvec.of_model(model_columns.collection);
  end if;
  if wanted is null or wanted = target.model or target.model is null then
    return target;
  end if;

  known := (select m.model from pgvec.model_changes as m where m.collection = target.name and m.model = wanted);
  if known is not null or strpos(model_columns.collection, '@') > 0 and wanted = (pgvec.collection(target.name)).model then
    return pgvec.of_model(target.name || '@' || wanted);
  end if;
  raise exception using
    errcode = 'PV004',
    message = format('collection %L has no vectors of the model %s, its model is %s', target.name, pgvec.shown(wanted), target.model),
    hint    = format('embed with its model; or bind it to the other: select pgvec.bind_model(%L, %L, %s)', target.name, left(wanted, 200), target.dimensions);
end
$$;
comment on function pgvec.model_columns(text, text) is
  'The registry row (pgvec.of_model) for storing vectors of a model in a collection; null is the one that is named, or the active one. The table keeps its columns until '
  'the transaction ends. Raises PV001, PV004 for a model of which the collection has no vectors.';
revoke all on function pgvec.model_columns(text, text) from public;
select pgvec.grant_execute('pgvec.model_columns(text, text)', 'writer');
