-- kw_match_documents -- keyword_search with the name and the columns that LangChain's hybrid retrievers expect.
-- These multiply similarity by ten and compare it with a cosine similarity, so it lies between 0 and 0.1: a tenth of the share
-- of the query's weight that the row has.
create or replace function public.kw_match_documents(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity real)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  searched text := coalesce(kw_match_documents.collection, 'documents');
  total    float8 := (pgvec.keyword_query(searched, query_text, for_tenant)).weights operator(extensions.<+>) '{}/268435456'::extensions.sparsevec;
begin
  return query
    select k.id, k.content, k.metadata, least(0.1, 0.1 * k.score / total)::real
      from public.keyword_search(query_text, match_count, filter, null::text, searched, kw_match_documents.for_tenant, false,
                                 null::float8, null::text, null::text, null::text, false, false) as k
     order by k.score desc, k.id;
end
$$;
comment on function public.kw_match_documents(text, int, jsonb, text, uuid) is
  'keyword_search for clients that expect (id, content, metadata, similarity) with a similarity between 0 and 0.1: '
  'a tenth of the BM25 score over the sum of the weights of the query''s words. '
  'Errors as keyword_search.';
revoke all on function public.kw_match_documents(text, int, jsonb, text, uuid) from public;
select pgvec.grant_execute('public.kw_match_documents(text, int, jsonb, text, uuid)', 'reader');
