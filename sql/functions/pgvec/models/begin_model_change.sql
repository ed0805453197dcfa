-- pgvec.begin_model_change -- gives a collection a second column of vectors, for another model; searches go on as before.
-- The same workers fill it, by a queue of its own; writes are queued for both models. Which of the two a search reads is
-- decided by its dimensions (pgvec.fitting). Adding the columns rewrites nothing, and waits for the table a second at most.
-- An adopted table is its application's, and columns are not added to it by the way.
create or replace function pgvec.begin_model_change(
    collection text, model text, dimensions int, storage text default null, passage_prefix text default null)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set lock_timeout = '1s'
as $$
declare
  target pgvec.collections := pgvec.collection(begin_model_change.collection);
  change pgvec.model_changes;
begin
  perform pgvec.check_model(begin_model_change.model);
  storage := coalesce(storage, target.storage);
  perform pgvec.check_choice('storage', storage, '{vector,halfvec}');
  perform pgvec.check_count('dimensions', begin_model_change.dimensions, 1, 16000);
  select m.* into change from pgvec.model_changes as m where m.collection = target.name;
  if (change.state, change.model, change.dimensions, change.storage) = ('pending', begin_model_change.model, begin_model_change.dimensions, begin_model_change.storage) then
    return;  -- goes on
  elsif change.state is not null then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has vectors of two models already, of %s and %s', target.name, target.model, change.model),
      hint    = format(case change.state when 'pending' then 'pgvec.finish_model_change(%L), or pgvec.abort_model_change' else 'pgvec.drop_old_model(%L) removes those of the old one' end, target.name);
  elsif target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s, whose model cannot be changed', target.name, target.base),
      hint    = 'add a column for the new vectors to the table, and adopt it a second time, under another name, with that embedding_column';
  elsif target.model is null or target.model = begin_model_change.model then
    raise exception using
      errcode = 'PV004',
      message = case when target.model is null then format('collection %L is bound to no model', target.name) else format('%s is the model of collection %L', target.model, target.name) end,
      hint    = case when target.model is null then format('tell which model has made its present vectors: select pgvec.bind_model(%L, ''provider:name'', %s)', target.name, target.dimensions)
                     else 'name another model; for the same one in other dimensions make another collection' end;
  end if;

  execute format('alter table %s add column embedding_next extensions.%I(%s), add column embedded_hash_next text, add column embedded_by_next int',
                 target.base, storage, begin_model_change.dimensions);
  if begin_model_change.dimensions::bigint * (case storage when 'vector' then 4 else 2 end) <= 2048 then
    execute format('alter table %s alter column embedding_next set storage main', target.base);  -- as pgvec.keep_vectors does
  end if;
  insert into pgvec.model_changes (collection, state, model, dimensions, storage, settings)
  values (target.name, 'pending', begin_model_change.model, begin_model_change.dimensions, begin_model_change.storage,
          jsonb_strip_nulls(jsonb_build_object('passage_prefix', begin_model_change.passage_prefix)));
  update pgvec.collections as c set changing = true where c.name = target.name;
  perform pgvec.protect_second(target.name);
  perform pgvec.wake_embedders(target.name);
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.begin_model_change(text, text, int, text, text) is
  'Begins to change the model of a collection: adds a column for vectors of another model (provider:name), which workers then fill. storage: vector or halfvec, by default as '
  'now; passage_prefix: what the model is given before each text, by default what it was trained with. The same call again changes nothing. Then: '
  'pgvec.model_change_statements, '
  'pgvec.finish_model_change or pgvec.abort_model_change. Raises PV001, PV004, and 55P03 where the table is in use: try again.';
revoke all on function pgvec.begin_model_change(text, text, int, text, text) from public;
