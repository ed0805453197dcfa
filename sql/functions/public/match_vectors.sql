-- match_vectors -- match_documents with the name and the columns that mem0 expects.
-- mem0 can choose its table but not this function's name: so the collection is memories, where there is one.
create or replace function public.match_vectors(
    query_embedding extensions.vector,
    match_count int default 10,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default null,
    for_tenant uuid default null)
  returns table (id text, similarity float8, metadata jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  searched text := coalesce(match_vectors.collection, (select c.name from pgvec.collections as c where c.name = 'memories'), 'documents');
begin
  return query
    select m.id, m.similarity, m.metadata
      from public.match_documents(
             query_embedding, pgvec.clamp_count(match_count, 10), filter, match_threshold, searched, for_tenant, null::text) as m
     order by m.similarity desc, m.id;
end
$$;
comment on function public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents without the texts. collection: memories where there is one, else documents. Errors as match_documents.';
revoke all on function public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
