-- pgvec.enqueue_stale -- enters stale rows into the queue that are not in it: those from before there was a model or a trigger.
-- Page by page, so that a table of millions holds nobody up: pass the last id of a page to get the next one. Rows that another
-- transaction has locked are left to it: its trigger queues them. Where all are in the queue, none is locked: a worker that stores their
-- vectors at this moment would leave out those that are.
create or replace function pgvec.enqueue_stale(collection text, after text default null, batch int default 10000, out last_id text, out queued bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(enqueue_stale.collection);
  page   record;
  free   record;
begin
  execute format(
    $query$
    select max(p.id) as last_id, count(*) as rows, array_agg(p.id) as ids, array_agg(p.tenant) as tenants, array_agg(p.content_hash) as hashes
      from (select d.id, %2$s as tenant, d.content_hash
              from %1$s as d
             where d.embedded_hash is distinct from d.content_hash
               and d.content ~ '\S'
               and ($1 is null or d.id > $1)
             order by d.id
             fetch first $2 rows with ties) as p
    $query$,
    coalesce(target.source, target.relation::text),
    case when target.access = 'tenant' then 'd.tenant_id' else quote_literal(pgvec.no_tenant()) || '::uuid' end)
    into page
    using after, batch;
  queued := 0;
  if page.rows > 0 and pgvec.enqueue_jobs(pgvec.model_name(target), page.ids, page.tenants, page.hashes, count_only => true) > 0 then
    select f.ids, f.tenants into free from pgvec.free_rows(target, page.ids) as f;
    queued := (select pgvec.enqueue_jobs(pgvec.model_name(target), coalesce(array_agg(p.id), '{}'), coalesce(array_agg(p.tenant), '{}'), coalesce(array_agg(p.hash), '{}'))
                 from unnest(page.ids, page.tenants, page.hashes) as p (id, tenant, hash)
                 join unnest(free.ids, free.tenants) as f (id, tenant) on f.id = p.id and f.tenant = p.tenant);
  end if;
  last_id := case when page.rows >= batch then page.last_id end;
end
$$;
comment on function pgvec.enqueue_stale(text, text, int) is
  'Enters the stale rows of a collection that are not in its queue into it: of at most batch rows that the caller sees, by id, with ids greater than after. '
  'queued: how many were not there. last_id: the after of the next page, or null at the end. Raises PV001, PV006.';
revoke all on function pgvec.enqueue_stale(text, text, int) from public;
select pgvec.grant_execute('pgvec.enqueue_stale(text, text, int)', 'writer');
