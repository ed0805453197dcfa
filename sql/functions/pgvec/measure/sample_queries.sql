-- pgvec.sample_queries -- rows of a collection as queries, each with its true neighbours, found by an exact scan.
-- Each query is of the tenant whose row it is. Its own row is not among the neighbours. It stops when the time is over, after
-- one query at least.
create or replace function pgvec.sample_queries(
    collection text, queries int, match_count int, filter jsonb, until timestamptz,
    out ids text[], out requests pgvec.search_request[], out expected jsonb)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
as $$
declare
  target  constant pgvec.collections := pgvec.collection(sample_queries.collection);
  drawn   record;
  request pgvec.search_request;
  found   text[];
begin
  ids := array[]::text[];
  requests := array[]::pgvec.search_request[];
  expected := '[]'::jsonb;
  for drawn in execute format(
    'select d.id, %s as tenant, d.embedding::extensions.vector as embedding from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit %s',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, pgvec.sample_of(target, 10 * queries), queries)
  loop
    exit when clock_timestamp() > until and cardinality(ids) > 0;
    request := pgvec.vector_request(drawn.embedding, match_count + 1, filter, null, target.name, drawn.tenant, null);
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4',
                   pgvec.vector_query(request.collection, request.distance, request.condition, null, pgvec.rows_of(request)))
      into found
      using request.query_embedding, request.bound, match_count + 1, drawn.id;
    ids := ids || drawn.id;
    requests := requests || request;
    expected := expected || jsonb_build_array(coalesce(to_jsonb(found[:match_count]), '[]'));
  end loop;
end
$$;
comment on function pgvec.sample_queries(text, int, int, jsonb, timestamptz) is
  'At most so many sampled rows of a collection as queries: their ids, their requests (pgvec.vector_request), and a list of the ids of the match_count nearest other '
  'rows for each, by an exact scan. Raises PV001, PV003, and PV006 where rows belong to tenants that the caller may not search.';
revoke all on function pgvec.sample_queries(text, int, int, jsonb, timestamptz) from public;
