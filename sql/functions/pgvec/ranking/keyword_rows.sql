-- pgvec.keyword_rows -- what keyword_search finds for one tenant, or in a collection without tenants.
-- The rows are read, and headlines made, after the limit. Those of several tenants say in their metadata whose they are.
drop function if exists pgvec.keyword_rows(pgvec.search_request, uuid, boolean);

create or replace function pgvec.keyword_rows(
    request pgvec.search_request, tenant uuid, highlight boolean, mark_start text default '<mark>', mark_stop text default '</mark>')
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target constant pgvec.collections := request.collection;
  several constant boolean := coalesce(cardinality(request.tenants) > 1, false);
  found  record;
begin
  request.tenants := case when request.tenants is not null then array[tenant] end;
  found := pgvec.find_candidates(request, coalesce(request.query_text, ''), null, request.filter, null, null, request.ranking, request.wanted, false, true);
  return query execute format(
    $query$
    select d.id, d.content, case when $6 then d.metadata || jsonb_build_object('tenant_id', $7) else d.metadata end, h.keyword_score,
           case when $2 then pgvec.headline(coalesce(d.language, $3), d.content, $4, $8, $9) end
      from unnest($1) as h
      join %s as d on d.id = h.id
     where $5 is null
        or h.keyword_score >= $5
     order by h.keyword_score desc, h.id
    $query$, pgvec.rows_of(request, by_key => 'h.id'))
    using found.hits, highlight, target.language, (found.query).words, request.match_threshold, several, tenant, mark_start, mark_stop;
end
$$;
comment on function pgvec.keyword_rows(pgvec.search_request, uuid, boolean, text, text) is
  'The rows that keyword_search finds for a request (query_text, filter, ranking, wanted, match_threshold) among those of one tenant. tenant: null in a collection '
  'without tenants. highlight, mark_start, mark_stop: as in keyword_search. Raises PV003.';
revoke all on function pgvec.keyword_rows(pgvec.search_request, uuid, boolean, text, text) from public;
select pgvec.grant_execute('pgvec.keyword_rows(pgvec.search_request, uuid, boolean, text, text)', 'reader');
