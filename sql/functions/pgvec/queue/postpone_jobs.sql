-- pgvec.postpone_jobs -- gives rows back that were claimed, uncharged, for nobody to take before some time has passed.
-- Definer, since nobody else may write the queue.
create or replace function pgvec.postpone_jobs(collection text, ids text[], hashes text[], wait interval)
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target    pgvec.collections := pgvec.of_model(postpone_jobs.collection);
  queue     constant text := pgvec.model_name(target);
  scope     uuid[] := pgvec.queue_scope(target);
  postponed bigint;
begin
  with f as materialized (
         select o.id, o.tenant
           from unnest(ids, hashes) as e (id, hash)
           join pgvec.embedding_jobs as o on o.collection = queue and o.id = e.id and o.content_hash = e.hash
          where o.due_at < 'infinity'
            and (scope is null or o.tenant = any (scope))
            for update of o skip locked)
  update pgvec.embedding_jobs as j
     set due_at = clock_timestamp() + wait, worker = null, in_session = null
    from f
   where j.collection = queue
     and j.id = f.id
     and j.tenant = f.tenant;
  get diagnostics postponed = row_count;
  return postponed;
end
$$;
comment on function pgvec.postpone_jobs(text, text[], text[], interval) is
  'Makes rows of the queue due after a wait, each with the content_hash that was claimed. Returns how many. Raises PV001, PV006.';
revoke all on function pgvec.postpone_jobs(text, text[], text[], interval) from public;
select pgvec.grant_execute('pgvec.postpone_jobs(text, text[], text[], interval)', 'writer');
