-- pgvec.refuse_change -- PV004 for a step of a model change that does not come next.
create or replace function pgvec.refuse_change(collection text)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(refuse_change.collection);
  found  pgvec.model_changes;
begin
  select m.* into found from pgvec.model_changes as m where m.collection = target.name;
  raise exception using
    errcode = 'PV004',
    message = case
                when found.state is null then format('the model of collection %L is not being changed', target.name)
                when found.state = 'old' then format('the change of collection %L from %s to %s is finished', target.name, found.model, target.model)
                else format('the change of collection %L from %s to %s is not finished', target.name, target.model, found.model)
              end,
    hint    = format('select %s',
                     case
                       when found.state is null then format('pgvec.%s(%L, ''provider:name'', dimensions)', 'begin_model_change', target.name)
                       when found.state = 'old' then format('pgvec.%s(%L) removes the vectors of the old model', 'drop_old_model', target.name)
                       else format('pgvec.%1$s(%3$L), or pgvec.%2$s(%3$L)', 'finish_model_change', 'abort_model_change', target.name)
                     end);
end
$$;
comment on function pgvec.refuse_change(text) is 'Raises PV004 with how far the change of a collection''s model is, and what can be done next. Raises PV001.';
revoke all on function pgvec.refuse_change(text) from public;
