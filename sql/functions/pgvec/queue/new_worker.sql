-- pgvec.new_worker -- a number for a worker that nobody guesses: 52 random bits, exact in JSON of every language.
-- It is all that a worker extends and gives back its claims by, so it is a secret of the worker's.
create or replace function pgvec.new_worker()
  returns bigint
  language sql volatile parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (1::bigint << 52) + ('x' || left(u, 8) || right(u, 5))::bit(52)::bigint
    from (select gen_random_uuid()::text as u offset 0) as r
$$;
comment on function pgvec.new_worker() is 'A random number between 2^52 and 2^53, for the worker of pgvec.claim_jobs.';
revoke all on function pgvec.new_worker() from public;
select pgvec.grant_execute('pgvec.new_worker()', 'writer');
