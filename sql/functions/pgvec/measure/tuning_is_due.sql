-- pgvec.tuning_is_due -- whether a collection has twice the rows with vectors for which its index was tuned.
-- Where it never was, the default serves 100,000 rows.
create or replace function pgvec.tuning_is_due(collection pgvec.collections)
  returns boolean
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  enough constant float8 := 2 * greatest(1000, coalesce((collection.settings #>> '{tuned,rows}')::float8, 50000));
begin
  if pgvec.estimate_rows(collection) > enough then  -- which costs nothing
    return pgvec.searched_rows(collection) > enough;
  end if;
  return false;
end
$$;
comment on function pgvec.tuning_is_due(pgvec.collections) is
  'Whether a collection has more than twice the rows with vectors it had when its index was tuned (2,000 at least), or more than 100,000 and its index never was.';
revoke all on function pgvec.tuning_is_due(pgvec.collections) from public;
