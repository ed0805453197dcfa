-- pgvec.worker_scopes -- the collections of which a worker has claimed rows, and whose of them the caller may work on.
-- For definer functions: nobody else may read the queue. Collections that are not for the caller are left out.
create or replace function pgvec.worker_scopes(worker bigint)
  returns table (collection pgvec.collections, scope uuid[])
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  for collection in
    select c.*
      from pgvec.collections as c
     where c.name in (select e.collection from pgvec.embedding_jobs as e where e.worker = nullif(worker_scopes.worker, 0))
     order by c.name
  loop
    begin
      scope := pgvec.queue_scope(collection);
      return next;
    exception when sqlstate 'PV006' then
      null;
    end;
  end loop;
end
$$;
comment on function pgvec.worker_scopes(bigint) is
  'For each collection of which a worker has claimed rows and that the caller may work on: its registry row, and the tenants whose rows these are (pgvec.queue_scope).';
revoke all on function pgvec.worker_scopes(bigint) from public;
