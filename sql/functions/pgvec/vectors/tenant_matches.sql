-- pgvec.tenant_matches -- where the nearest rows of a tenant are: ids, and how similar they are.
-- Policies keep indexes from being used, since the operators of a search are not leakproof. So the rows are found here,
-- by the owner of the table, and read by the caller, under the caller's policies (pgvec.tenant_documents): a fault here
-- could lose rows, but not show any. Whoever calls it directly gets what a search gives: pgvec.scoped decides.
create or replace function pgvec.tenant_matches(
    collection text, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid, distance text)
  returns table (id text, similarity float8)
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 50
as $$
declare
  target pgvec.collections := pgvec.tenant_target(tenant_matches.collection, for_tenant);
begin
  return query
    select m.id, m.similarity
      from public.match_documents(query_embedding, match_count, filter, match_threshold, target.name, target.tenants[1], distance) as m;
end
$$;
comment on function pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text) is
  'The ids and similarities that match_documents finds among the rows of a tenant of the caller. Errors as match_documents.';
revoke all on function pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text) from public;
select pgvec.grant_execute('pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text)', 'reader');
