-- pgvec.explain_search -- how match_documents answers a search: its route, its estimate, its index, its cost.
-- For people who wonder why a search is slow, and for tests. It makes the same decisions with the same functions, and then
-- times the real call.
drop function if exists pgvec.explain_search(text, extensions.vector, int, jsonb, text);
drop function if exists pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid);

create or replace function pgvec.explain_search(
    collection text,
    query_embedding extensions.vector default null,
    match_count int default 100,
    filter jsonb default '{}',
    distance text default null,
    for_tenant uuid default null,
    query_text text default null)
  returns table (route text, estimate bigint, index text, ef_search int, rows bigint, ms float8, plan text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set hnsw.max_scan_tuples = 20000
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set jit = off
as $$
declare
  fitted  constant extensions.vector := case when query_embedding is null and query_text is not null then pgvec.query_vector(query_text, explain_search.collection) end;
  request pgvec.search_request := pgvec.vector_request(coalesce(query_embedding, fitted), match_count, filter, null, explain_search.collection, for_tenant, explain_search.distance);
  target  constant pgvec.collections := request.collection;
  planned record;
  step    pgvec.search_step;
  line    text;
  started timestamptz;
  logging text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  if request.tenants is not null and (cardinality(request.tenants) > 1 or row_security_active(target.relation)) then
    raise exception using
      errcode = 'PV006',
      message = format('a plan tells of rows of all tenants of collection %L', target.name),
      hint    = 'ask as the owner of the table or as service_role, for one tenant: for_tenant => ...';
  end if;

  perform set_config('pgvec.search_log', 'off', true);  -- not a user's search: do not log it
  perform set_config('ivfflat.probes', coalesce(target.settings ->> 'probes', '10'), true);
  planned := pgvec.search_steps(request);
  foreach step in array planned.steps loop
    continue when step.after_tie;
    if step.kind is not null then
      perform set_config('hnsw.iterative_scan', step.iterative_scan, true);
      perform set_config('ivfflat.iterative_scan', step.iterative_scan, true);
      perform set_config('hnsw.ef_search', step.ef_search::text, true);
      perform set_config('hnsw.max_scan_tuples', step.scan_tuples::text, true);
      ef_search := step.ef_search;
    end if;
    route := concat_ws(', then ', route, pgvec.route_name(step.kind));
    estimate := round(step.estimate);

    plan := null;
    for line in execute
      'explain (analyze, costs off, timing off, buffers off, summary off) ' || pgvec.vector_query(target, request.distance, request.condition, step.kind,
                                                                                              case when step.kind is null then planned.scanned else planned.walked end)
      using request.query_embedding, request.bound, step.read_rows
    loop
      -- a vector of thousands of characters hides the rest
      plan := concat_ws(e'\n', plan, regexp_replace(line, '''\[[^'']{20,}''', '''[...]''', 'g'));
    end loop;
    index := substring(plan from 'Index Scan (?:using|on) (\S+)');
    exit when substring(plan from 'actual rows=(\d+)')::int >= step.enough;
  end loop;

  started := clock_timestamp();
  select count(*) into rows
    from public.match_documents(request.query_embedding, match_count, filter, null::float8, explain_search.collection, for_tenant, explain_search.distance);
  route := concat(case when fitted is not null then 'fitted vector, ' end, route);
  ms := round(1000 * extract(epoch from clock_timestamp() - started), 3);
  if query_text is not null then  -- its notice says what of the text was not taken as typed
    perform from public.keyword_search(query_text, 1, filter, collection => explain_search.collection, for_tenant => explain_search.for_tenant);
  end if;
  perform set_config('pgvec.search_log', logging, true);
  return next;
end
$$;
comment on function pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid, text) is
  'How match_documents answers: its route (index, halfvec index, binary index or exact, and what followed where that found too few), the estimated matches of the '
  'filter, the index used last, hnsw.ef_search, the rows returned, milliseconds, and EXPLAIN ANALYZE of its last query. Without query_embedding, that of '
  'pgvec.query_vector for query_text; the route then begins with fitted vector. Of query_text, a notice as by '
  'keyword_search (a phrase that no row has). Where rows belong to tenants: for one '
  'tenant, and only for a caller that sees all rows; others get PV006. Other errors as match_documents.';
revoke all on function pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid, text) from public;
select pgvec.grant_execute('pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid, text)', 'reader');
