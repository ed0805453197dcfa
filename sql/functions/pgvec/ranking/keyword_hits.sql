-- pgvec.keyword_hits -- the ids of the rows that score highest for a keyword query.
-- Candidates come from the GIN index of fts: a scan of the table would have to unpack the lexemes of every row, which the
-- planner does not see the cost of. Where the rarest words have found too few, all words are tried.
drop function if exists pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb);

create or replace function pgvec.keyword_hits(
    collection pgvec.collections, query pgvec.keyword_query, ranking text, match_count int, filter jsonb)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  within     record := pgvec.filter_condition(collection, filter);
  candidates tsquery;
  searched   text := collection.relation;
  hits       pgvec.scored[] := '{}'::pgvec.scored[];
begin
  if query.candidates is null then
    return hits;
  end if;
  if collection.tenants is not null and not pgvec.finds_alone(collection) then
    return pgvec.tenant_keyword_hits(collection.name, query, ranking, match_count, filter, collection.tenants[1]);
  end if;
  foreach candidates in array array[query.candidates, query.words] loop
    if collection.tenants is not null then
      searched := (pgvec.tenant_rows(collection, concat_ws(' and ', 'd.fts @@ $1', nullif(within.condition, '')), candidates, within.bound)).scanned;
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
      pgvec.keyword_score(ranking), searched, 'and ' || nullif(within.condition, ''))
      into hits
      using candidates, within.bound, match_count, query.weights, query.words;
    exit when cardinality(hits) >= match_count or candidates = query.words;
  end loop;
  return coalesce(hits, '{}');
end
$$;
comment on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb) is
  'The match_count rows that score highest for a keyword query (pgvec.keyword_query) by a ranking (bm25, ts_rank, ts_rank_cd) '
  'and pass the filter: best first, ties by id. Under row level security those of a tenant are found by pgvec.tenant_keyword_hits. Raises PV003.';
revoke all on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb) from public;
select pgvec.grant_execute('pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb)', 'reader');
