-- pgvec.check_model_change -- whether the change of a model can be finished: rows, index, and how the new model's searches are.
create or replace function pgvec.check_model_change(collection text, wanted_recall float8 default 0.98, seconds float8 default 10)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(check_model_change.collection);
  second  constant text := (select target.name || '@' || m.model from pgvec.model_changes as m where m.collection = target.name and m.state = 'pending');
  missing bigint;
  dead    bigint;
  unbuilt text[];
begin
  if second is null then
    perform pgvec.refuse_change(target.name);
  end if;
  missing := pgvec.model_change_missing(target.name);
  dead := (select count(*) from pgvec.embedding_jobs as j where j.collection = second and j.due_at = 'infinity');
  return next pgvec.verdict(
    target.name, 'embedded',
    array_remove(array[case when missing > 0 then format('%s rows have no vector of the new model, %s of them failed too often', missing, dead) end], null),
    'all rows have a vector of the new model', format('pgvec-admin embed --collection %s; --retry-dead tries those again that failed', target.name));
  unbuilt := array(select distinct case s.purpose when 'stale' then 'the index of stale rows' else 'its vector index' end from pgvec.model_change_statements(target.name) as s);
  return next pgvec.verdict(
    target.name, 'index', array(select u || ' is missing' from unnest(unbuilt) as u), 'the new model has its indexes',
    format('run what pgvec.model_change_statements(%L) says; pgvec-admin model finish does', target.name));
  return query select v.* from pgvec.verify_search(second, seconds, wanted_recall) as v where v.check_name = 'recall';
end
$$;
comment on function pgvec.check_model_change(text, float8, float8) is
  'Checks before pgvec.finish_model_change: embedded (rows without a vector of the new model), index, and recall (of searches by the new model against exact scans, as in '
  'pgvec.verify_search). Raises PV001, PV004 where no change goes on.';
revoke all on function pgvec.check_model_change(text, float8, float8) from public;
