-- pgvec.enqueue_jobs -- enters rows into the queue of a collection; those that are in it for the same text stay as they are.
-- Definer, since nobody else may write the queue. That a row is stale is looked at again when it is claimed.
drop function if exists pgvec.enqueue_jobs(text, text[], uuid[], text[]);

create or replace function pgvec.enqueue_jobs(collection text, ids text[], tenants uuid[], hashes text[], count_only boolean default false)
  returns bigint
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.of_model(enqueue_jobs.collection);
  scope  uuid[] := pgvec.queue_scope(target);
  queued bigint;
begin
  if count_only then
    return (
      select count(*)
        from unnest(ids, tenants, hashes) as e (id, tenant, hash)
        left join pgvec.embedding_jobs as j on j.collection = pgvec.model_name(target) and j.id = e.id and j.tenant = e.tenant
       where e.tenant = any (coalesce(scope, array[e.tenant]))
         and num_nulls(e.id, e.hash) = 0
         and j.content_hash is distinct from e.hash);
  end if;
  insert into pgvec.embedding_jobs as j (collection, id, tenant, content_hash)
  select distinct on (e.id, e.tenant) pgvec.model_name(target), e.id, e.tenant, e.hash
    from unnest(ids, tenants, hashes) as e (id, tenant, hash)
   where e.tenant = any (coalesce(scope, array[e.tenant]))
     and num_nulls(e.id, e.hash) = 0
   order by e.id, e.tenant
      on conflict on constraint embedding_jobs_pkey do update
     set content_hash = excluded.content_hash,
         due_at = excluded.due_at,
         worker = null,
         in_session = null,
         attempts = 0,
         tried_at = null,
         reason = null
   where j.content_hash <> excluded.content_hash;
  get diagnostics queued = row_count;
  return queued;
end
$$;
comment on function pgvec.enqueue_jobs(text, text[], uuid[], text[], boolean) is
  'Enters rows, each with its tenant (pgvec.no_tenant where there are none) and content_hash, into the queue of a collection; those of tenants that are not the caller''s '
  'are left out. Returns how many are new, or have another text. count_only: enters none. Raises PV001, PV006.';
revoke all on function pgvec.enqueue_jobs(text, text[], uuid[], text[], boolean) from public;
select pgvec.grant_execute('pgvec.enqueue_jobs(text, text[], uuid[], text[], boolean)', 'writer');
