-- pgvec.settle_jobs -- removes entries from the queue: of rows that are embedded, or have nothing to embed any more.
-- Only for the text they were queued for: another text has been queued since. A row that was locked, or is gone, is due again in a
-- second. Definer, since nobody else may write the queue.
create or replace function pgvec.settle_jobs(collection text, ids text[], hashes text[], free text[], tenants uuid[])
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.of_model(settle_jobs.collection);
  queue  constant text := pgvec.model_name(target);
  scope  uuid[] := pgvec.queue_scope(target);
begin
  with s as materialized (
         select o.id, o.tenant
           from unnest(ids, hashes) as e (id, hash)
           join unnest(free, tenants) as f (id, tenant) on f.id = e.id
           join pgvec.embedding_jobs as o on o.collection = queue and o.id = e.id and o.tenant = f.tenant and o.content_hash = e.hash
          where scope is null or o.tenant = any (scope)
            for update of o skip locked)
  delete from pgvec.embedding_jobs as j
   using s
   where j.collection = queue
     and j.id = s.id
     and j.tenant = s.tenant;
  if cardinality(free) < cardinality(ids) then
    with f as materialized (
           select o.id, o.tenant
             from unnest(ids, hashes) as e (id, hash)
             join pgvec.embedding_jobs as o on o.collection = queue and o.id = e.id and o.content_hash = e.hash
            where e.id <> all (free)
              and (scope is null or o.tenant = any (scope))
              for update of o skip locked)
    update pgvec.embedding_jobs as j
       set due_at = clock_timestamp() + interval '1 s', worker = null, in_session = null
      from f
     where j.collection = queue
       and j.id = f.id
       and j.tenant = f.tenant;
  end if;
end
$$;
comment on function pgvec.settle_jobs(text, text[], text[], text[], uuid[]) is
  'Removes the entries with these ids and content hashes from the queue of a collection that are among free, each with its tenant, of the caller''s tenants; those '
  'whose id is '
  'not among free are due again in a second. '
  'Raises PV001, PV006.';
revoke all on function pgvec.settle_jobs(text, text[], text[], text[], uuid[]) from public;
select pgvec.grant_execute('pgvec.settle_jobs(text, text[], text[], text[], uuid[])', 'writer');
