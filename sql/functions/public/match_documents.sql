-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.search_steps says how: along an index, where that is quick and finds enough, and by an exact scan where it does
-- not, so that there are never fewer rows than there could be.
-- One row more than wanted is read. Where it is as far as the last wanted one, more are read until the tie at the limit
-- is whole, so that the rows returned do not depend on the order in which an index happens to meet them. Over a
-- quantized index more candidates are read, and ordered by their true distance.
-- The threshold is applied to the rows found: inside the ordered limit, an iterative scan would walk the whole index for
-- rows beyond it.
-- One query finds the rows and reads them, and a loop keeps them: each further query to plan would cost a tenth of a
-- small search.
-- The SET clauses are there so that the settings made inside end with the function, not with the caller's transaction.
-- Where searches are logged, pgvec.logged_match_documents takes over, and calls this again; where not, that is one comparison.
-- Small searches pay 15 microseconds for each, 12 for each function called and 5 for each expression: so there are few of
-- them on their way. pgvec.clamp_count, pgvec.similarity, pgvec.vector_query, and of pgvec.filter_condition and pgvec.search_steps
-- the simplest, are written out.
create or replace function public.match_documents(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null,
    distance text default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.ef_search = 40
as $$
declare
  target     pgvec.collections;
  measure    text;
  wanted     int := least(greatest(coalesce(match_count, 100), 1), 1000);
  condition  text := '';
  bound      jsonb;
  scanned    text;             -- the FROM item where all that match are read, where an index is walked, and in the step at hand
  walked     text;
  searched   text;
  steps      pgvec.search_step[];
  step       pgvec.search_step;
  place      int := 0;
  hits       pgvec.hit[];
  hit        pgvec.hit;
  farthest   float8;
  at_limit   int;              -- rows as far as the farthest
  tied       boolean := false;
begin
  select c.* into target from pgvec.collections as c where c.name = coalesce(match_documents.collection, 'documents');
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query select l.* from pgvec.logged_match_documents(target, query_embedding, match_count, filter, match_threshold, for_tenant, distance) as l;
    return;
  end if;
  measure := coalesce(match_documents.distance, target.distance);
  if num_nonnulls(match_documents.distance, match_threshold, for_tenant) > 0
     or (has_table_privilege(target.relation, 'select') is not null
         and extensions.vector_dims(query_embedding) = target.dimensions and query_embedding operator(extensions.<#>) query_embedding between -1e38 and -1e-30
         and target.access <> 'tenant') is not true
  then
    target := pgvec.query_target(coalesce(match_documents.collection, 'documents'), for_tenant, query_embedding, match_documents.distance, match_threshold);
    if cardinality(target.tenants) > 1 or target.tenants is not null and not pgvec.finds_alone(target) then
      return query select t.* from pgvec.tenant_documents(target, query_embedding, wanted, filter, match_threshold, measure) as t order by t.similarity desc, t.id limit wanted;
      return;
    end if;
    condition := case when target.tenants is null then '' else 'true' end;
  end if;

  if filter <> '{}' and target.base = target.relation and jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0 and length(filter::text) <= 65536 and not filter @? 'strict $.**{13}'
  then
    condition := 'd.metadata @> ($2 -> 0)';
    bound := jsonb_build_array(filter);
  elsif filter <> '{}' then
    select coalesce(nullif(w.predicate, ''), condition), w.bound into condition, bound from pgvec.filter_condition(target, filter) as w (predicate, bound);
  end if;

  if (measure = target.distance and to_regclass(target.search_index) = target.search_index_oid) is not true then  -- the noted index is not the one
    target := pgvec.with_index(target, measure);
  end if;

  loop
    place := place + 1;
    if place = 1 and condition = '' and target.search_kind = 'column' and target.search_method = 'hnsw' then
      step := ('column', null, least(1000, greatest(wanted + 1, coalesce((target.settings ->> 'ef_search')::int, 40))), null, wanted + 1, wanted, false, false, null);
    else
      if steps is null then
        select s.* into steps, scanned, walked from pgvec.search_steps(target, target.search_kind, target.search_method, wanted, condition, bound) as s;
      end if;
      step := steps[place];
    end if;
    continue when step.after_tie <> tied;
    if step.ef_search <> 40 then  -- which is set, and never come back to
      perform set_config('hnsw.ef_search', step.ef_search::text, true);
    end if;

    hits := '{}';
    farthest := '-infinity';
    searched := coalesce(case when step.kind is null then scanned else walked end, target.relation::text);
    if step.deep or condition <> '' and step.iterative_scan <> current_setting('hnsw.iterative_scan', true) then
      hits := array(select r from pgvec.deep_rows(target, measure, condition, bound, query_embedding, step, searched) as r where r.distance is not null);
      at_limit := (select count(*) from unnest(hits) as h group by h.distance order by h.distance desc limit 1);
    else
      for hit in execute format(case when step.kind is null then target.scan_query else target.search_query end,
                                searched, case when condition = '' then 'true' else condition end)
        using query_embedding, bound, step.read_rows loop
        exit when hit.distance is null;
        hits := hits || hit;
        at_limit := case when hit.distance > farthest then 1 else at_limit + (hit.distance = farthest)::int end;
        farthest := greatest(farthest, hit.distance);
      end loop;
    end if;
    tied := step.read_rows > wanted and cardinality(hits) = step.read_rows and at_limit > step.read_rows - wanted;  -- the last row wanted and all beyond it
    exit when cardinality(hits) >= step.enough and not tied;
  end loop;
  if target.log_sample is not null then
    perform pgvec.note_route(steps, step);
  end if;

  return query
    select s.id, s.content, s.metadata, s.similarity
      from (select h.*, case measure when 'cosine' then 1 - h.distance when 'inner_product' then - h.distance else 1 / (1 + h.distance) end as similarity
              from unnest(hits) as h) as s
     where match_threshold is null or s.similarity >= match_threshold
     order by s.distance, s.id
     limit wanted;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id: always as many as there are. '
  'filter: an object that metadata must contain, and operators such as {"year": {"$gte": 2020}} (pgvec.compile_filter lists them). '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan unless it has an index of its own. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Runs as the caller, under the caller''s row level security. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
