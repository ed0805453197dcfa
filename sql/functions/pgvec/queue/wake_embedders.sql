-- pgvec.wake_embedders -- notifies waiting workers that a collection has rows to embed.
-- Transactions that notify commit one by one: so only where a worker waits, and not when the queue of notifications is half
-- full, since a full one fails the commit. Workers look for rows from time to time in any case.
create or replace function pgvec.wake_embedders(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('max_prepared_transactions')::int > 0 then
    return;  -- a transaction that has notified cannot be prepared
  elsif pg_try_advisory_lock(pgvec.embedders_lock()) then
    perform pg_advisory_unlock(pgvec.embedders_lock());
  elsif pg_notification_queue_usage() < 0.5 then
    perform pg_notify('pgvec_embedding', wake_embedders.collection);
  end if;
end
$$;
comment on function pgvec.wake_embedders(text) is
  'Sends the name of a collection to the channel pgvec_embedding, where a worker waits, which shares the advisory lock pgvec.embedders_lock().';
revoke all on function pgvec.wake_embedders(text) from public;
