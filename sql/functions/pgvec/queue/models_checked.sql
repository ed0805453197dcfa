-- pgvec.models_checked -- whether rows of a collection with vectors of another model than its own were looked for already.
-- They come of another binding alone, so one look for each model is enough. Definer, since nobody else may write when that was.
create or replace function pgvec.models_checked(collection text, found_none boolean default false)
  returns boolean
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.collection(models_checked.collection);
begin
  perform pgvec.queue_scope(target);
  if found_none then
    insert into pgvec.embedding_queues as q (collection, swept_at, model)
    values (target.name, '-infinity', target.model)
        on conflict on constraint embedding_queues_pkey do update set model = excluded.model;
  end if;
  return target.model is null or exists (select from pgvec.embedding_queues as q where q.collection = target.name and q.model = target.model);
end
$$;
comment on function pgvec.models_checked(text, boolean) is
  'Whether rows with vectors of another model than the collection''s were looked for since it was bound to that one. found_none: the caller has, and found none. '
  'Raises PV001, PV006.';
revoke all on function pgvec.models_checked(text, boolean) from public;
select pgvec.grant_execute('pgvec.models_checked(text, boolean)', 'writer');
