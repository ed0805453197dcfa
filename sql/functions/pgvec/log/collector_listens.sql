-- pgvec.collector_listens -- whether a listener stores the searches of read-only transactions.
-- The listener (pgvec-admin log collect) holds this advisory lock for as long as it listens; one at a time.
create or replace function pgvec.collector_listens()
  returns boolean
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return not pg_try_advisory_lock_shared(pgvec.collector_lock()) or not pg_advisory_unlock_shared(pgvec.collector_lock());
end
$$;
comment on function pgvec.collector_listens() is 'Whether another session holds the advisory lock pgvec.collector_lock().';
revoke all on function pgvec.collector_listens() from public;
