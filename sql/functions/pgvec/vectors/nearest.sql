-- pgvec.nearest -- the rows nearest to the vector of a request, as the current user sees them.
-- pgvec.search_steps says how: along an index, where that is quick and finds enough, and by an exact scan where it does
-- not, so that there are never fewer rows than there could be.
-- One row more than wanted is read (overfetch). Where it is as far as the last wanted one, more are read until the tie at LIMIT
-- is complete, so that the rows returned do not depend on the order in which an index happens to meet them. Over a
-- quantized index more candidates are read, and ordered by their true distance.
-- hnsw.ef_search is put back by hand, since a setting of the function costs 15 microseconds; after an error the server does it.
create or replace function pgvec.nearest(request pgvec.search_request, out hits pgvec.hit[], out route text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  ef_before constant text := coalesce(current_setting('hnsw.ef_search', true), '40');
  ef_search text := ef_before;
  hit       pgvec.hit;
  scanned   text;             -- the FROM item where all that match are read, where an index is walked, and in the step at hand
  walked    text;
  searched  text;
  steps     pgvec.search_step[];
  step      pgvec.search_step;
  tied      boolean := false;
begin
  select s.* into steps, scanned, walked from pgvec.search_steps(request) as s;
  foreach step in array steps loop
    continue when step.after_tie <> tied;
    if step.ef_search::text <> ef_search then
      ef_search := set_config('hnsw.ef_search', step.ef_search::text, true);
    end if;
    hits := '{}';
    searched := case when step.kind is null then scanned else walked end;
    if step.deep or request.condition <> '' and step.iterative_scan <> current_setting('hnsw.iterative_scan', true) then
      hits := array(select r from pgvec.deep_rows(request, step, searched) as r where r.distance < 'nan');
    else
      for hit in execute format(case when step.kind is null then (request.collection).scan_query else (request.collection).search_query end,
                                searched, coalesce(nullif(request.condition, ''), 'true'))
        using request.query_embedding, request.bound, step.read_rows loop
        exit when hit.distance is null or hit.distance = 'nan';  -- which sorts as the farthest
        hits := hits || hit;
      end loop;
    end if;
    -- the last row wanted and all beyond it; an iterative scan may return them out of order. A graph may end within a flood of duplicates:
    -- fewer rows than asked for do not complete a tie that was there.
    tied := tied and step.kind is not null and cardinality(hits) < step.read_rows
            or step.read_rows > request.wanted and cardinality(hits) = step.read_rows
            and (select count(*) from unnest(hits) as h group by h.distance order by h.distance desc limit 1) > step.read_rows - request.wanted;
    exit when cardinality(hits) >= step.enough and not tied;
  end loop;
  if ef_search <> ef_before then
    ef_search := set_config('hnsw.ef_search', ef_before, true);
  end if;
  if (request.collection).log_sample is not null then
    route := case when steps[1].kind <> coalesce(step.kind, '') then pgvec.route_name(steps[1].kind) || ', then ' else '' end
             || pgvec.route_name(step.kind);
  end if;
end
$$;
comment on function pgvec.nearest(pgvec.search_request) is
  'hits: at least the wanted rows nearest to the query vector that meet the condition, with a tie at LIMIT complete, in no order; the threshold is not applied. '
  'route, where searches are logged: the first step, and the one that found enough (pgvec.route_name).';
revoke all on function pgvec.nearest(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.nearest(pgvec.search_request)', 'reader');
