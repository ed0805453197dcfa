-- pgvec.keyword_hits -- the ids of the rows that score highest for a keyword query, as the current user sees them.
-- Candidates come from the GIN index of fts: a scan of the table would have to unpack the lexemes of every row, a cost that the
-- planner does not see. Where pairs of words have found few rows, so that some with one word may be better, or a condition leaves few of them, the
-- rarest words are tried, and where these have found too few, all.
drop function if exists pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb);
drop function if exists pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb);

create or replace function pgvec.keyword_hits(request pgvec.search_request)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  spare      constant int := 4;  -- rows with a pair of words, over rows wanted
  query      constant pgvec.keyword_query := request.query;
  pairs      constant tsquery := case when request.ranking = 'bm25' and request.condition = '' then query.pairs end;
  candidates tsquery;
  enough     int;
  searched   text := coalesce((request.collection).source, (request.collection).relation::text);
  hits       pgvec.scored[] := '{}'::pgvec.scored[];
begin
  if query.candidates is null then
    return hits;
  end if;
  if (request.collection).posted and request.ranking = 'bm25' and query.lexemes is not null then
    hits := pgvec.posted_hits(request);
    if hits is not null then
      return hits;
    end if;
  end if;
  foreach candidates in array array[pairs, query.candidates, query.words] loop
    continue when candidates is null;
    enough := request.wanted * case candidates when pairs then spare else 1 end;
    if request.tenants is not null then
      searched := (pgvec.tenant_rows(request, concat_ws(' and ', 'd.fts @@ $1', nullif(request.condition, '')), candidates)).scanned;
    end if;
    execute format(
      $query$
      select array_agg((h.id, h.score)::pgvec.scored order by h.score desc, h.id)
        from (select d.id, %s as score
                from %s as d
               where d.fts @@ $1 %s
               order by score desc, d.id
               limit $3) as h
      $query$,
      pgvec.keyword_score(request.ranking), searched, 'and ' || nullif(request.condition, ''))
      into hits
      using candidates, request.bound, enough, query.weights, query.words;
    exit when cardinality(hits) >= enough or candidates = query.words;
  end loop;
  return coalesce(hits[:request.wanted], '{}');
end
$$;
comment on function pgvec.keyword_hits(pgvec.search_request) is
  'The wanted rows that score highest for the query of a request by its ranking and meet its condition: best first, ties by id.';
revoke all on function pgvec.keyword_hits(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.keyword_hits(pgvec.search_request)', 'reader');
