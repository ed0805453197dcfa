-- pgvec.vector_request -- a search by vector: its defaults, checks, tenants and filter, worked out in this one place.
-- A small search pays for each function that it calls, and for each statement of one. So one statement answers most requests: those to a
-- collection without tenants whose model is not being changed, with its own distance, no threshold,
-- a vector that fits, and a filter that is absent or a plain object without keys that are columns.
create or replace function pgvec.vector_request(
    query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, collection text, for_tenant uuid, distance text,
    scope pgvec.search_request default null)
  returns pgvec.search_request
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request  pgvec.search_request;
  filtered regclass;  -- the table, where the filter is plain
begin
  if (scope).alone is null then
    select case when to_regclass(c.search_index) = c.search_index_oid then c else pgvec.with_index(c, c.distance) end,  -- the cached index, where it is the one
           true, vector_request.query_embedding, least(greatest(coalesce(match_count, (c.settings ->> 'match_count')::int, 1000), 1), 1000), c.distance, t.condition,
           case when t.condition <> '' then jsonb_build_array(filter) end, case when t.condition <> '' then c.base end
      into request.collection, request.alone, request.query_embedding, request.wanted, request.distance, request.condition, request.bound, filtered
      from pgvec.collections as c
     cross join lateral (
            select case
                     when filter is null or filter = '{}' then ''
                     when c.base = c.relation and jsonb_typeof(filter) = 'object'
                          and strpos(filter::text, '"$') = 0 and length(filter::text) <= 65536 and not filter @? 'strict $.**{13}'
                       then 'd.metadata @> ($2 -> 0)'
                   end) as t (condition)
     where c.name = vector_request.collection
       and num_nonnulls(vector_request.distance, match_threshold, for_tenant) = 0
       and c.access <> 'tenant'
       and c.changing is null
       and has_table_privilege(c.base, 'select') is not null  -- there is such a table
       and (c.base = c.relation
            or c.source_columns = (select md5(string_agg(concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum)
                     || c.base::oid || c.base)  -- pgvec.column_state
                                     from pg_catalog.pg_attribute as a
                                    where a.attrelid = c.base and a.attnum > 0))
       and extensions.vector_dims(vector_request.query_embedding) = c.dimensions
       and vector_request.query_embedding operator(extensions.<#>) vector_request.query_embedding between -1e38 and -1e-30
       -- halfvec rounds what is smaller to zero, and overflows beyond
       and (c.storage = 'vector' or vector_request.query_embedding operator(extensions.<#>) vector_request.query_embedding between -4e9 and -1e-8);
    -- as part of the statement above this had it planned anew for each search: the plan of one without a filter is so much cheaper
    if filtered is not null then
      if exists (select from pg_catalog.pg_attribute as a where a.attrelid = filtered and a.attnum > 0 and filter ? a.attname::text) then
        request.condition := null;
      end if;
    end if;
  end if;

  if request.alone is null then
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
