-- pgvec.abort_model_change -- undoes what pgvec.begin_model_change has done, and what came of it.
-- What embedding has taken stays counted (pgvec.embedding_usage).
create or replace function pgvec.abort_model_change(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set lock_timeout = '300ms'
as $$
declare
  target pgvec.collections := pgvec.collection(abort_model_change.collection);
  change pgvec.model_changes;
begin
  select m.* into change from pgvec.model_changes as m where m.collection = target.name and m.state = 'pending';
  if change.state is null then
    perform pgvec.refuse_change(target.name);
  end if;
  execute format('alter table %s drop column if exists embedding_next, drop column if exists embedded_hash_next, drop column if exists embedded_by_next', target.base);
  delete from pgvec.model_changes as m where m.collection = target.name;
  update pgvec.collections as c set changing = null where c.name = target.name;
  delete from pgvec.embedding_jobs as j where j.collection = target.name || '@' || change.model;
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.abort_model_change(text) is
  'Ends a change of the model that is not finished: the columns of the new model are dropped, with their indexes and queue. Raises PV001, PV004 where no change goes '
  'on, 55P03 '
  'where the table is in use: try again.';
revoke all on function pgvec.abort_model_change(text) from public;
