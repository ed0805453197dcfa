-- pgvec.vector_request -- a search by vector: its defaults, checks, tenants and filter, worked out in this one place.
-- A small search pays for each function that it calls, for each query in one, and for every expression of a query, as an executor is made ready anew
-- each time. So most requests are answered with one look at the registry and conditions of PL/pgSQL: those to a collection whose model is not being
-- changed, with its own distance, no threshold, a vector that fits, and a filter that is absent or, without tenants, a plain object without keys that are columns.
create or replace function pgvec.vector_request(
    query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, collection text, for_tenant uuid, distance text,
    scope pgvec.search_request default null)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request;
  target  pgvec.collections;
  whose   record;
  product float8;  -- the square of the vector's length, negative
  plain   boolean;
begin
  if (scope).alone is null and num_nonnulls(vector_request.distance, match_threshold) = 0 then
    select c.* into target from pgvec.collections as c where c.name = vector_request.collection;
    product := query_embedding operator(extensions.<#>) query_embedding;
    if target.changing is null
       and (target.access = 'tenant' or for_tenant is null)
       and has_table_privilege(target.base, 'select') is not null  -- there is such a table
       and extensions.vector_dims(query_embedding) = target.dimensions
       and product between -1e38 and -1e-30
       -- halfvec rounds what is smaller to zero, and overflows beyond
       and (target.storage = 'vector' or product between -4e9 and -1e-8)
    then
      plain := target.base = target.relation;
      if target.access = 'tenant' then
        plain := plain and coalesce(filter = '{}', true);
        if plain then
          whose := pgvec.searched_tenants(
            target.name, case when target.search_method = 'hnsw' and has_table_privilege(target.base, 'select') then target.base end, for_tenant);
          request.tenants := whose.tenants;
          request.share := whose.share;
          plain := coalesce(cardinality(request.tenants) = 1, false);
        end if;
      elsif not plain then  -- pgvec.column_state
        select target.source_columns = md5(string_agg(concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum)
               || target.base::oid || target.base)
          into plain
          from pg_catalog.pg_attribute as a
         where a.attrelid = target.base and a.attnum > 0;
      end if;
    end if;
    if plain then
      request.alone := target.access <> 'tenant' or not row_security_active(target.base) and pgvec.finds_alone(target);
      request.collection := case when to_regclass(target.search_index) = target.search_index_oid then target else pgvec.with_index(target, target.distance) end;
      request.query_embedding := query_embedding;
      request.wanted := least(greatest(coalesce(match_count, (target.settings ->> 'match_count')::int, 1000), 1), 1000);
      request.distance := target.distance;
      if filter is null or filter = '{}' then
        request.condition := case target.access when 'tenant' then 'true' else '' end;
      elsif target.base = target.relation and jsonb_typeof(filter) = 'object'
            and strpos(filter::text, '"$') = 0 and length(filter::text) <= 65536 and not filter @? 'strict $.**{13}' then
        if not exists (select from pg_catalog.pg_attribute as a where a.attrelid = target.base and a.attnum > 0 and filter ? a.attname::text) then
          request.condition := 'd.metadata @> ($2 -> 0)';
          request.bound := jsonb_build_array(filter);
        end if;
      end if;
    end if;
  end if;

  if plain is not true then
    request := case when (scope).alone is null then pgvec.scoped(vector_request.collection, for_tenant) else scope end;
    if (request.collection).changing or extensions.vector_dims(vector_request.query_embedding) <> (request.collection).dimensions then
      request.collection := pgvec.fitting(request.collection, vector_request.collection, vector_request.query_embedding);
    end if;
    request.alone := request.alone and (request.tenants is null or cardinality(request.tenants) = 1);
    request.query_embedding := vector_request.query_embedding;
    request.wanted := pgvec.clamp_count(match_count, coalesce(((request.collection).settings ->> 'match_count')::int, 1000));
    request.distance := coalesce(vector_request.distance, (request.collection).distance);
    request.match_threshold := vector_request.match_threshold;
    perform pgvec.check_query_embedding(request.collection, query_embedding);
    perform pgvec.check_choice('distance', request.distance, '{cosine,l2,inner_product,l1}');
    perform pgvec.check_threshold(request.distance, match_threshold);
    if request.alone and (request.distance = (request.collection).distance
                          and to_regclass((request.collection).search_index) = (request.collection).search_index_oid) is not true then
      request.collection := pgvec.with_index(request.collection, request.distance);
    end if;
    -- without a filter all rows of the index, or some of them; where this search is not alone, who searches compiles the filter
    request.condition := case when filter <> '{}' and request.alone then null when request.tenants is null then '' else 'true' end;
  end if;

  if request.condition is null then
    select coalesce(nullif(w.condition, ''), case when request.tenants is null then '' else 'true' end), w.bound
      into request.condition, request.bound
      from pgvec.filter_condition(request.collection, filter, request.tenants) as w;
  end if;
  return request;
end
$$;
comment on function pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request) is
  'The request for the arguments of match_documents. condition is empty for a search that reads all rows of an index. '
  'alone: false where pgvec.found_documents has to search, tenant by tenant. '
  'Setting of the collection: match_count, the rows where none is given (default 1000). scope: of pgvec.scoped, by who has it already. '
  'Raises PV001 to PV006 as match_documents.';
revoke all on function pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.vector_request(extensions.vector, int, jsonb, float8, text, uuid, text, pgvec.search_request)', 'reader');
