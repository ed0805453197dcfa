-- pgvec.verify_models -- whether all vectors of a collection are of the model that it is bound to.
-- Two models of equal dimensions are compared without an error, and without sense. Rows whose model was not recorded count as
-- the collection's. Of a large table a sample is read.
create or replace function pgvec.verify_models(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows constant int := 200000;
  target constant pgvec.collections := pgvec.collection(verify_models.collection);
  bound  constant int := case when target.model is not null then coalesce((select m.id from pgvec.models as m where m.name = target.model), 0) end;
  found  record;
begin
  if target.base <> target.relation and target.text_table = target.base then
    return;  -- it does not record models
  end if;
  execute format(
    $query$
    select coalesce(sum(o.rows), 0) as rows, string_agg(format('%%s of %%s', o.rows, coalesce(m.name, 'model ' || o.embedded_by)), ', ' order by o.rows desc) as models
      from (select d.embedded_by, count(*) as rows from %s as d where d.embedded_by <> $1 and d.embedded_hash is not null group by d.embedded_by) as o
      left join lateral (select min(x.name) as name from pgvec.models as x where x.id = o.embedded_by) as m on true
    $query$, case when target.base = target.relation then pgvec.sample_of(target, most_rows) else target.text_table::text end)
    into found
    using bound;
  return next pgvec.verdict(
    target.name, 'models',
    array_remove(array[case when found.rows > 0 then format('%s rows have a vector of another model than %s: %s', found.rows, target.model, found.models) end], null),
    case when target.model is null then 'it is bound to no model' else format('all vectors are of %s', target.model) end,
    format('pgvec-admin embed --collection %s embeds them anew, as workers do; where it is the same model by another name: pgvec.bind_model(..., same_model => true)', target.name),
    format('delete from pgvec.embedding_queues where collection = %1$L; select pgvec.mark_others(%1$L);', target.name));
end
$$;
comment on function pgvec.verify_models(text) is
  'Check models: rows with a vector that another model than the collection''s has made, as far as that was recorded; of more than 200,000 rows those in a sample. '
  'Raises PV001.';
revoke all on function pgvec.verify_models(text) from public;
