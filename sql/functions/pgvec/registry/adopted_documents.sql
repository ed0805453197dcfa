-- pgvec.adopted_documents -- the rows of an adopted table as those of a collection, for psql: the views pgvec.adopted_NAME read it.
-- Searches do not; they read the table itself, where its indexes serve.
create or replace function pgvec.adopted_documents(collection text)
  returns table (
    id text, source text, chunk_index int, content text, metadata jsonb, language text, embedding extensions.vector, embedded_hash text, content_hash text, fts tsvector,
    bm25 extensions.sparsevec)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    'select d.id, d.source, d.chunk_index, d.content, d.metadata, d.language, d.embedding::extensions.vector, d.embedded_hash, d.content_hash, d.fts, d.bm25 from %s as d',
    (pgvec.collection(adopted_documents.collection)).source);
end
$$;
comment on function pgvec.adopted_documents(text) is
  'The rows of an adopted table, as the caller sees them, with the columns of a collection; all of them, whatever is asked of the result. Raises PV001.';
revoke all on function pgvec.adopted_documents(text) from public;
select pgvec.grant_execute('pgvec.adopted_documents(text)', 'reader');
