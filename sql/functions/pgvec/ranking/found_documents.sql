-- pgvec.found_documents -- what match_documents finds for a request, with the tenant of each row.
-- Each tenant is searched separately, as if there were no other, and its rows are read by primary key under the caller's
-- policies. Rows of several tenants may have the same id, so their metadata says whose they are.
create or replace function pgvec.found_documents(request pgvec.search_request, filter jsonb)
  returns table (tenant uuid, id text, content text, metadata jsonb, similarity float8, route text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  single pgvec.search_request := request;
  found  record;
begin
  single.alone := request.tenants is null or cardinality(request.tenants) > 1 and pgvec.finds_alone(request.collection);
  foreach tenant in array coalesce(request.tenants, array[null::uuid]) loop
    single.tenants := case when tenant is not null then array[tenant] end;
    found := pgvec.find_candidates(single, null, request.query_embedding, filter, request.match_threshold, request.distance, null,
                                   request.wanted, true, false);
    return query execute format(
      $query$
      select $2, d.id, d.content, case when $4 then d.metadata || jsonb_build_object('tenant_id', $2) else d.metadata end, h.similarity, $3
        from unnest($1) as h
       cross join lateral (select r.id, r.content, r.metadata from %s as r where r.id = h.id %s offset 0) as d
      $query$, coalesce((request.collection).source, (request.collection).relation::text), case when tenant is not null then 'and r.tenant_id = $2' end)  -- fenced, as in pgvec.rows_of
      using found.hits, tenant, coalesce(found.route, 'tenant'), coalesce(cardinality(request.tenants) > 1, false);
  end loop;
end
$$;
comment on function pgvec.found_documents(pgvec.search_request, jsonb) is
  'The wanted rows that match_documents finds for each tenant of a request, read as the caller. filter: that of the request, which the owner has to compile again.';
revoke all on function pgvec.found_documents(pgvec.search_request, jsonb) from public;
select pgvec.grant_execute('pgvec.found_documents(pgvec.search_request, jsonb)', 'reader');
