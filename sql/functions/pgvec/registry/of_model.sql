-- pgvec.of_model -- the registry row of a collection, for the vectors of one of its models: NAME, or NAME@MODEL.
-- While a model is changed, and until the old one is dropped, a collection has vectors of two. The row for the second one reads
-- the same table, by a FROM item in which that model's columns have the usual names (pgvec.model_source).
create or replace function pgvec.of_model(collection text)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections;
  wanted    constant text := substr(of_model.collection, strpos(of_model.collection, '@') + 1);
  second    pgvec.model_changes;
begin
  if strpos(of_model.collection, '@') = 0 or of_model.collection is null then
    return pgvec.collection(of_model.collection);
  end if;
  found_row := pgvec.collection(split_part(of_model.collection, '@', 1));
  select m.* into second from pgvec.model_changes as m where m.collection = found_row.name;
  if wanted = found_row.model then
    return found_row;
  elsif wanted is distinct from second.model then
    raise exception using
      errcode = 'PV001',
      message = format('collection %L has no vectors of the model %s', found_row.name, pgvec.shown(wanted)),
      hint    = format('its models: %s', coalesce(nullif(concat_ws(', ', found_row.model, second.model), ''), 'none is bound'));
  end if;

  found_row.embedding_column := 'embedding' || case second.state when 'pending' then '_next' else '_old' end;
  found_row.model := second.model;
  found_row.dimensions := second.dimensions;
  found_row.storage := second.storage;
  found_row.settings := found_row.settings - '{passage_prefix,embedding_price}'::text[] || second.settings;
  found_row.search_index := null;
  found_row.search_index_oid := null;
  found_row.source := pgvec.model_source(found_row, found_row.base);
  found_row.plain_source := found_row.source;
  return found_row;
end
$$;
comment on function pgvec.of_model(text) is
  'The registry row of a collection (NAME), or of its vectors of one model (NAME@MODEL): for the second of two models with dimensions, storage, model, embedding_column '
  'and source of that one. Raises PV001 for an unknown collection, and for a model of which it has no vectors.';
revoke all on function pgvec.of_model(text) from public;
select pgvec.grant_execute('pgvec.of_model(text)', 'reader');
