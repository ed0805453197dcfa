-- pgvec.tenant_documents -- match_documents for callers under row level security, and for several tenants at once.
-- Each tenant is searched for itself, as if there were no other; what pgvec.tenant_matches found is read under the
-- caller's policies, by primary key.
create or replace function pgvec.tenant_documents(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, distance text)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid;
begin
  foreach tenant in array collection.tenants loop
    return query execute format(
      $query$
      select d.id, d.content, d.metadata, h.score
        from unnest($1) as h
       cross join lateral (select r.* from %s as r where r.tenant_id = $2 and r.id = h.id offset 0) as d
      $query$, collection.relation)  -- fenced, as in pgvec.rows_of
      using array(
              select (n.id, n.similarity)::pgvec.scored
                from pgvec.tenant_matches(collection.name, query_embedding, match_count, filter, match_threshold, tenant, distance) as n),
            tenant;
  end loop;
end
$$;
comment on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) is
  'The match_count rows that match_documents finds for each tenant of a collection (pgvec.scoped), read as the caller.';
revoke all on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) from public;
select pgvec.grant_execute('pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text)', 'reader');
