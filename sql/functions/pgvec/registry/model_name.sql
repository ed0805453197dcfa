-- pgvec.model_name -- what names a registry row in calls: the collection, or NAME@MODEL for the second of its models (pgvec.of_model).
-- Also the name of its queue: each model has its own.
create or replace function pgvec.model_name(collection pgvec.collections)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (model_name.collection).name
         || case when (model_name.collection).source is not null and (model_name.collection).base = (model_name.collection).relation then '@' || (model_name.collection).model else '' end
$$;
comment on function pgvec.model_name(pgvec.collections) is 'The name of a collection; NAME@MODEL for the row that pgvec.of_model gives for the second of two models.';
revoke all on function pgvec.model_name(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.model_name(pgvec.collections)', 'reader');
