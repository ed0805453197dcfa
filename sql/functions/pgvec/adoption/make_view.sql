-- pgvec.make_view -- the view over an adopted table that people read; searches do not.
-- It depends on a function of ours, and on nothing of the application's.
create or replace function pgvec.make_view(collection text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(make_view.collection);
  view    constant text := format('pgvec.%I', 'adopted_' || target.name);
  readers constant text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
begin
  execute format('drop view if exists %s', view);
  execute format(
    'create view %s with (security_invoker = true) as '
    'select d.id, d.source, d.chunk_index, d.content, d.metadata, d.language, d.embedding::extensions.%I(%s) as embedding, d.embedded_hash, d.content_hash, d.fts, '
    'd.bm25::extensions.sparsevec(268435456) as bm25 from pgvec.adopted_documents(%L) as d',
    view, target.storage, target.dimensions, target.name);
  if readers is not null then
    execute format('grant select on %s to %s', view, readers);
  end if;
  return view::regclass;
end
$$;
comment on function pgvec.make_view(text) is
  'Makes the view pgvec.adopted_NAME, by which psql shows an adopted table with the columns of a collection, anew, and returns it. Raises PV001.';
revoke all on function pgvec.make_view(text) from public;
