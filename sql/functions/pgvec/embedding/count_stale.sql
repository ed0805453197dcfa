-- pgvec.count_stale -- how many rows have to be embedded; the total of a progress bar.
-- Exact, by the partial index of these rows. Rows without text have nothing to embed.
create or replace function pgvec.count_stale(collection text)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.of_model(collection);
  stale bigint;
begin
  execute format('select count(*) from %s as d where d.embedded_hash is distinct from d.content_hash and d.content ~ ''\S''', coalesce(found_row.source, found_row.relation::text))
    into stale;
  return stale;
end
$$;
comment on function pgvec.count_stale(text) is
  'Number of rows of a collection whose embedding is missing or older than the text, if there is a text. Raises PV001 for an unknown collection.';
revoke all on function pgvec.count_stale(text) from public;
