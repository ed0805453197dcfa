-- pgvec.stale_documents -- one batch of the rows whose embedding is missing or made from an older text.
-- For embedding programs in any language: pass the last id of a batch as after to get the next one. A row that could not be
-- embedded stays stale; paging by id meets it once a round instead of forever. Rows without text have nothing to embed.
create or replace function pgvec.stale_documents(collection text, batch int default 256, after text default null)
  returns table (id text, content text, content_hash text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.of_model(collection);
begin
  if batch < 1 then
    raise exception using
      errcode = 'PV004',
      message = format('batch cannot be %s', batch),
      hint    = 'the number of rows to fetch, at least 1';
  end if;

  return query execute format(
    $query$
    select d.id, d.content, d.content_hash
      from %s as d
     where d.embedded_hash is distinct from d.content_hash
       and d.content ~ '\S'
       and ($1 is null or d.id > $1)
     order by d.id
     fetch first $2 rows with ties
    $query$, coalesce(found_row.source, found_row.relation::text))
  using after, coalesce(batch, 256);
end
$$;
comment on function pgvec.stale_documents(text, int, text) is
  'Rows of a collection that have text and whose embedding is missing or older than it, ordered by id: at most batch of them, with ids greater than after. Embed '
  'content, then pass id and content_hash to pgvec.store_embeddings. Raises PV001 for an unknown collection, PV004 for a batch below 1.';
revoke all on function pgvec.stale_documents(text, int, text) from public;
