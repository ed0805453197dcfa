-- pgvec.vector_request -- a search by vector: its defaults, checks, tenants and filter, worked out in this one place.
-- A small search pays 12 microseconds for each function it calls, and 15 for each setting of one. So what most searches need is
-- written out here: pgvec.scoped for a collection without tenants, pgvec.check_query_embedding and pgvec.clamp_count, and a
-- filter that is a plain object within the limits of pgvec.parse_filter.
create or replace function pgvec.vector_request(
    query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, collection text, for_tenant uuid, distance text,
    scope pgvec.search_request default null)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  alone     boolean := true;
  target    pgvec.collections;
  tenants   uuid[];
  measure   text;
  condition text := '';
  bound     jsonb;
begin
  if (scope).alone is null then
    select c.* into target from pgvec.collections as c where c.name = vector_request.collection;
  end if;
  measure := coalesce(vector_request.distance, target.distance);
  if num_nonnulls(vector_request.distance, match_threshold, for_tenant) > 0
     or (has_table_privilege(target.relation, 'select') is not null
         and extensions.vector_dims(query_embedding) = target.dimensions and query_embedding operator(extensions.<#>) query_embedding between -1e38 and -1e-30
         and target.access <> 'tenant') is not true
  then
    if (scope).alone is null then
      scope := pgvec.scoped(vector_request.collection, for_tenant);
    end if;
    target := scope.collection;
    tenants := scope.tenants;
    alone := scope.alone and (tenants is null or cardinality(tenants) = 1);
    measure := coalesce(vector_request.distance, target.distance);
    perform pgvec.check_query_embedding(target, query_embedding);
    perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
    perform pgvec.check_threshold(measure, match_threshold);
    condition := case when tenants is null then '' else 'true' end;
  end if;

  if not alone then
    null;  -- the filter is compiled by whoever searches
  elsif filter <> '{}' and target.base = target.relation and jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0 and length(filter::text) <= 65536 and not filter @? 'strict $.**{13}'
  then
    condition := 'd.metadata @> ($2 -> 0)';
    bound := jsonb_build_array(filter);
  elsif filter <> '{}' then
    select coalesce(nullif(w.predicate, ''), condition), w.bound into condition, bound from pgvec.filter_condition(target, filter, tenants) as w (predicate, bound);
  end if;

  if alone and (measure = target.distance and to_regclass(target.search_index) = target.search_index_oid) is not true then  -- the cached index is not the one
    target := pgvec.with_index(target, measure);
  end if;
  return (target, tenants, alone, query_embedding, least(greatest(coalesce(match_count, 100), 1), 1000), measure, condition, bound, match_threshold,
          null, null, null, null, null, null, null, null, null, null, null, null, null, null)::pgvec.search_request;
end
$$;
comment on function pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request) is
  'The request for the arguments of match_documents. condition is empty for a search that reads all rows of an index. '
  'alone: false where pgvec.found_documents has to search, tenant by tenant. scope: of pgvec.scoped, by who has it already. '
  'Raises PV001 to PV006 as match_documents.';
revoke all on function pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request)', 'reader');
