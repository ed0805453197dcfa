-- claim_embeddings -- rows of a collection to embed, for a worker in any language.
-- As pgvec.claim_jobs, which says how rows are chosen; the worker has no session of its own, so its claim ends with the lease.
create or replace function public.claim_embeddings(collection text default 'documents', batch int default 100, lease interval default '5 minutes', worker bigint default null)
  returns table (id text, content text, content_hash text, attempts int, claimed_by bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  number constant bigint := coalesce(worker, pgvec.new_worker());
begin
  return query
    select j.id, j.content, j.content_hash, j.attempts, number
      from pgvec.claim_jobs(coalesce(claim_embeddings.collection, 'documents'), coalesce(batch, 100), coalesce(lease, '5 minutes'), number) as j;
end
$$;
comment on function public.claim_embeddings(text, int, interval, bigint) is
  'At most batch (1 to 10000) rows of a collection whose embedding is missing or older than the text, which nobody else is given until the lease has ended: id, content, '
  'content_hash, how often it has failed, and claimed_by. Embed content, then call complete_embeddings or fail_embeddings with id and content_hash. worker: the number by '
  'which the lease is extended (renew_embeddings), a secret: the claimed_by of an earlier claim, or a random number of some 50 bits; without one a new one is made. '
  'For service_role and who may write the rows; where rows belong to tenants, those of the caller. Errors: PV001 unknown collection, PV004 argument, PV006 not for this caller.';
revoke all on function public.claim_embeddings(text, int, interval, bigint) from public;
select pgvec.grant_execute('public.claim_embeddings(text, int, interval, bigint)', 'writer');
