-- pgvec.count_blank -- how many rows have no text to embed.
create or replace function pgvec.count_blank(collection text)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(count_blank.collection);
  blank  bigint;
begin
  execute format('select count(*) from %s as d where d.embedded_hash is distinct from d.content_hash and (d.content ~ ''\S'') is not true', coalesce(target.source, target.relation::text))
    into blank;
  return blank;
end
$$;
comment on function pgvec.count_blank(text) is
  'Number of rows of a collection without an embedding, or with one of an older text, that have no text now: they are not embedded. Raises PV001 for an unknown collection.';
revoke all on function pgvec.count_blank(text) from public;
