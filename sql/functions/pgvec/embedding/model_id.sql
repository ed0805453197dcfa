-- pgvec.model_id -- the number of a model, by which rows say what made their embedding; a new model gets one.
-- Definer, since nobody else may write the table of models.
create or replace function pgvec.model_id(model text)
  returns int
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  found_id int := (select m.id from pgvec.models as m where m.name = model_id.model);
begin
  if found_id is null and model_id.model is not null then
    perform pgvec.check_model(model_id.model);
    insert into pgvec.models (name) values (model_id.model) on conflict (name) do nothing;
    found_id := (select m.id from pgvec.models as m where m.name = model_id.model);
  end if;
  return found_id;
end
$$;
comment on function pgvec.model_id(text) is 'The number of a model (provider:name) in pgvec.models; null for null. Raises PV004 for what names no model.';
revoke all on function pgvec.model_id(text) from public;
select pgvec.grant_execute('pgvec.model_id(text)', 'writer');
