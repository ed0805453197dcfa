-- pgvec.retry_dead -- makes rows that have failed too often due again, as if they had never failed.
create or replace function pgvec.retry_dead(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.of_model(retry_dead.collection);
  queue   constant text := pgvec.model_name(target);
  retried bigint;
begin
  update pgvec.embedding_jobs as j
     set due_at = clock_timestamp(), attempts = 0
   where j.collection = queue
     and j.due_at = 'infinity';
  get diagnostics retried = row_count;
  if retried > 0 then
    perform pgvec.wake_embedders(target.name);
  end if;
  return retried;
end
$$;
comment on function pgvec.retry_dead(text) is 'Makes the dead rows of a collection''s queue due again, and returns how many. Raises PV001.';
revoke all on function pgvec.retry_dead(text) from public;
