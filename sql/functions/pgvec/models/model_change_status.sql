-- pgvec.model_change_status -- how far the changes of models are.
create or replace function pgvec.model_change_status(collection text default null)
  returns table (
    name text, state text, model text, new_model text, dimensions int, new_dimensions int, rows bigint, missing bigint, dead bigint, index text,
    column_bytes bigint, index_bytes bigint, begun_at timestamptz, finished_at timestamptz)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  wanted constant text := model_change_status.collection;
  target pgvec.collections;
  change pgvec.model_changes;
begin
  if wanted is not null then
    perform pgvec.collection(wanted);
  end if;
  for change in
    select m.* from pgvec.model_changes as m where wanted is null or m.collection = wanted order by m.collection
  loop
    target := pgvec.of_model(change.collection || '@' || change.model);
    name := target.name;
    state := change.state;
    begun_at := change.begun_at;
    finished_at := change.finished_at;
    select c.model, c.dimensions into model, dimensions from pgvec.collections as c where c.name = target.name;
    new_model := change.model;
    new_dimensions := change.dimensions;
    if change.state = 'old' then
      new_model := model;
      model := change.model;
      new_dimensions := dimensions;
      dimensions := change.dimensions;
    end if;
    execute format('select count(*), (count(d.embedding) * (avg(pg_column_size(d.embedding)) + 24))::bigint from %s as d', target.source) into rows, column_bytes;
    missing := case change.state when 'pending' then pgvec.count_stale(pgvec.model_name(target)) end;
    dead := case change.state when 'pending' then (select count(*) from pgvec.embedding_jobs as j where j.collection = pgvec.model_name(target) and j.due_at = 'infinity') end;
    select min(i.name) filter (where i.valid), sum(i.size_bytes) into index, index_bytes from pgvec.vector_indexes(pgvec.model_name(target)) as i;
    return next;
  end loop;
end
$$;
comment on function pgvec.model_change_status(text) is
  'Each change of a model, or that of one collection: state (pending, or old: finished, the old model still there), the models and their dimensions, the rows, those '
  'that the new '
  'model has not embedded (missing) and that failed too often (dead); and of the second column its vector index and the bytes of both. Reads the table. Raises PV001.';
revoke all on function pgvec.model_change_status(text) from public;
