-- pgvec.sample_of -- the rows of a collection, or a sample of them, as the FROM item of a query.
-- The pages are sampled at random, the same ones each time while the table stays the same. An adopted table
-- is read whole. The limit is for a table that has grown since it was analyzed: else it would cut off the last rows, which are
-- those that a graph links worst.
create or replace function pgvec.sample_of(collection pgvec.collections, most_rows int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  estimate float8 := pgvec.estimate_rows(collection);
begin
  if collection.base <> collection.relation or coalesce(estimate, 0) <= most_rows then
    return format('(select * from %s as r)', coalesce(collection.source, collection.relation::text));
  end if;
  if collection.source is not null then
    return format('(select * from %s as r limit %s)', collection.source, most_rows);
  end if;
  return format('(select * from %s tablesample system (%s) repeatable (1) limit %s)', collection.base, least(100, round((100.0 * most_rows / estimate)::numeric, 6)), 2 * most_rows::bigint);
end
$$;
comment on function pgvec.sample_of(pgvec.collections, int) is
  'The FROM item with at most about most_rows rows of a collection (by the planner''s estimate of its rows), with all columns of its table or view.';
revoke all on function pgvec.sample_of(pgvec.collections, int) from public;
