-- match_documents_embeddings -- match_documents with the vectors, for clients that choose among the rows by themselves.
-- LangChain for Python reads them in this form in its maximal marginal relevance search.
create or replace function public.match_documents_embeddings(
    query_embedding extensions.vector,
    match_count int default null,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started  constant timestamptz := clock_timestamp();
  request  constant pgvec.search_request := pgvec.vector_request(
             query_embedding, match_count, filter, match_threshold, coalesce(match_documents_embeddings.collection, 'documents'), for_tenant, null);
  route    text;
  returned int := 0;
  best     float8;
begin
  for id, content, metadata, similarity, embedding, route in execute format(
    $query$
    select m.id, m.content, m.metadata, m.similarity, d.embedding::extensions.vector, m.route
      from pgvec.found_documents($1, $2) as m
     cross join lateral (select r.embedding from %s as r where r.id = m.id %s offset 0) as d
     order by m.similarity desc, m.id, m.tenant
     limit $3
    $query$, coalesce((request.collection).source, (request.collection).relation::text), case when request.tenants is not null then 'and r.tenant_id = m.tenant' end)
    using request, filter, request.wanted
  loop
    returned := returned + 1;
    best := greatest(best, similarity);
    return next;
  end loop;
  if random() < (request.collection).log_sample then
    perform pgvec.log_search((request.collection).name, 'match_documents', coalesce(route, case when request.tenants is null then 'exact' else 'tenant' end), request.wanted, returned, started, best, for_tenant, filter, null, query_embedding);
  end if;
end
$$;
comment on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents with the embedding of each row, which arrives as text by REST. Errors as match_documents.';
revoke all on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
