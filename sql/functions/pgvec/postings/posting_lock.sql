-- pgvec.posting_lock -- the key of the advisory lock by which who writes rows and who makes postings know of each other.
-- Writers share it until they commit, and never wait for it; who makes postings waits for them, and has it alone.
create or replace function pgvec.posting_lock(collection text)
  returns bigint
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select hashtextextended('pgvec postings of ' || posting_lock.collection, 0)
$$;
comment on function pgvec.posting_lock(text) is 'A key for pg_advisory_xact_lock.';
revoke all on function pgvec.posting_lock(text) from public;
