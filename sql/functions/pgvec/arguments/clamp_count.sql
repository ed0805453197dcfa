-- pgvec.clamp_count -- match_count clamped to 1..1000; null means the function's default.
-- A null would otherwise be LIMIT NULL: all rows. A hosted REST API returns at most 1000 anyway.
create or replace function pgvec.clamp_count(match_count int, default_count int)
  returns int
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return least(greatest(coalesce(match_count, default_count), 1), 1000);
end
$$;
comment on function pgvec.clamp_count(int, int) is 'match_count clamped to 1..1000; null gives default_count.';
revoke all on function pgvec.clamp_count(int, int) from public;
select pgvec.grant_execute('pgvec.clamp_count(int, int)', 'reader');
