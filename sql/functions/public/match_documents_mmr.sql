-- match_documents_mmr -- match_documents with the vectors as JSON arrays.
-- LangChain for JavaScript reads them in this form in its maximal marginal relevance search, and cannot read them as text.
create or replace function public.match_documents_mmr(
    query_embedding extensions.vector,
    match_count int default null,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.id, m.content, m.metadata, m.similarity, m.embedding::text::jsonb
      from public.match_documents_embeddings(
             query_embedding, match_count, filter, match_threshold, match_documents_mmr.collection, for_tenant) as m
     order by m.similarity desc, m.id;
end
$$;
comment on function public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents with the embedding of each row as a JSON array of numbers. Errors as match_documents.';
revoke all on function public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
