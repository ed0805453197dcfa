-- match_documents_embeddings -- match_documents with the vectors, for clients that choose among the rows by themselves.
-- LangChain for Python reads them so in its maximal marginal relevance search.
create or replace function public.match_documents_embeddings(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(match_documents_embeddings.collection, 'documents'), for_tenant);
begin
  if cardinality(target.tenants) > 1 and target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query select l.* from pgvec.logged_embeddings(target, query_embedding, match_count, filter, match_threshold, for_tenant) as l;
    return;
  end if;
  return query execute format(
    $query$
    select m.id, m.content, m.metadata, m.similarity, d.embedding::extensions.vector
      from unnest($6) as t (tenant)
     cross join lateral public.match_documents($1, $2, $3, $4, $5, t.tenant, null::text) as m
     cross join lateral (select r.embedding from %s as r where r.id = m.id %s offset 0) as d
     order by m.similarity desc, m.id
     limit $2
    $query$, target.relation, case when target.tenants is not null then 'and r.tenant_id = t.tenant' end)
    using query_embedding, pgvec.clamp_count(match_count, 100), filter, match_threshold, target.name, coalesce(target.tenants, array[null::uuid]);
end
$$;
comment on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents with the embedding of each row, which arrives as text by REST. Errors as match_documents.';
revoke all on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
