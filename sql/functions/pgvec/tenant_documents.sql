-- pgvec.tenant_documents -- match_documents for callers under row level security, and for several tenants at once.
-- Each tenant is searched for itself, as if there were no other; what pgvec.tenant_matches found is read under the
-- caller's policies, by primary key.
create or replace function pgvec.tenant_documents(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, distance text)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
begin
  return query execute format(
    $query$
    select d.id, d.content, d.metadata, n.similarity
      from unnest($1) as t (tenant)
     cross join lateral pgvec.tenant_matches($2, $3, $4, $5, $6, t.tenant, $7) as n
      join %s as d on d.tenant_id = t.tenant and d.id = n.id
     order by n.similarity desc, d.id, d.tenant_id
     limit $4
    $query$, collection.relation)
    using collection.tenants, collection.name, query_embedding, match_count, filter, match_threshold, distance;
end
$$;
comment on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) is
  'The rows that match_documents returns for the tenants of a collection (pgvec.scoped), read as the caller.';
revoke all on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) from public;
select pgvec.grant_execute('pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text)', 'reader');
