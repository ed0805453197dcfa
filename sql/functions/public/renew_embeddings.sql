-- renew_embeddings -- extends the lease of all that a worker has claimed.
create or replace function public.renew_embeddings(worker bigint, lease interval default '5 minutes')
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return pgvec.renew_lease(worker, coalesce(lease, '5 minutes'));
end
$$;
comment on function public.renew_embeddings(bigint, interval) is
  'Extends what a worker has claimed (claim_embeddings) to the time of lease from now, and returns how many rows that are: 0 once its leases have ended and others work on them.';
revoke all on function public.renew_embeddings(bigint, interval) from public;
select pgvec.grant_execute('public.renew_embeddings(bigint, interval)', 'writer');
