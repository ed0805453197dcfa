-- pgvec.searched_rows -- about how many rows of a collection have a vector.
-- Those that wait for theirs are in an index of their own; they do not make the graph larger yet.
create or replace function pgvec.searched_rows(collection pgvec.collections)
  returns float8
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return greatest(0, pgvec.estimate_rows(collection) - pgvec.count_stale(collection.name));
end
$$;
comment on function pgvec.searched_rows(pgvec.collections) is
  'The rows of a collection, as the planner estimates them, less those that have to be embedded; 0 for a table that was never vacuumed or analyzed.';
revoke all on function pgvec.searched_rows(pgvec.collections) from public;
