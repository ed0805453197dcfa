-- pgvec.check_index -- PV004 for a vector index that pgvector would not build: unknown method, or parameters out of range.
-- Raised before a build begins, which may be after hours of waiting.
create or replace function pgvec.check_index(method text, m int, ef_construction int, lists int)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.check_choice('method', method, '{hnsw,ivfflat}');
  if method = 'ivfflat' then
    perform pgvec.check_count('lists', lists, 1, 32768);
    return;
  end if;
  perform pgvec.check_count('m', m, 2, 100);
  perform pgvec.check_count('ef_construction', ef_construction, 4, 1000);
  if ef_construction < 2 * m then
    raise exception using
      errcode = 'PV004',
      message = format('ef_construction cannot be %s with m %s', ef_construction, m),
      hint    = format('at least twice m, which is %s', 2 * m);
  end if;
end
$$;
comment on function pgvec.check_index(text, int, int, int) is
  'Raises PV004 for an unknown method, for m (2 to 100) and ef_construction (4 to 1000, at least twice m) of hnsw and lists (1 to 32768) of ivfflat.';
revoke all on function pgvec.check_index(text, int, int, int) from public;
