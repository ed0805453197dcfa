-- pgvec.drop_fit -- forgets what was fitted to a collection.
create or replace function pgvec.drop_fit(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(drop_fit.collection);
begin
  delete from pgvec.fits as f where f.collection = target.name;
end
$$;
comment on function pgvec.drop_fit(text) is 'Removes the vectors of words of a collection; search then finds by keyword alone. Raises PV001.';
revoke all on function pgvec.drop_fit(text) from public;
