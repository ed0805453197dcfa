-- pgvec.default_lists -- how many lists an IVFFlat index should have: rows / 1000 up to a million rows, their root above.
-- pgvector's own advice.
create or replace function pgvec.default_lists(row_count float8)
  returns int
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select greatest(1, least(32768, case when row_count > 1e6 then sqrt(row_count) else row_count / 1000 end)::int)
$$;
comment on function pgvec.default_lists(float8) is 'The lists of an IVFFlat index over so many rows: rows / 1000, above a million their square root; 1 to 32768.';
revoke all on function pgvec.default_lists(float8) from public;
