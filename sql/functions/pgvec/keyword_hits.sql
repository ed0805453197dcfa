-- pgvec.keyword_hits -- the ids of the rows that score highest for a keyword query.
-- Candidates come from the GIN index of fts: a scan of the table would have to unpack the lexemes of every row, which the
-- planner does not see the cost of. Where the rarest words have found too few, all words are tried.
create or replace function pgvec.keyword_hits(
    collection pgvec.collections, query pgvec.keyword_query, ranking text, match_count int, condition text, bound jsonb)
  returns pgvec.scored[]
  language plpgsql stable parallel safe
  security invoker set search_path = ''
  set enable_seqscan = off
  set jit = off
as $$
declare
  candidates tsquery;
  hits pgvec.scored[] := '{}';
begin
  if query.candidates is null then
    return hits;
  end if;
  foreach candidates in array array[query.candidates, query.words] loop
    execute format(
      $query$
      select array_agg((h.id, h.score)::pgvec.scored order by h.score desc, h.id)
        from (select d.id, %s as score
                from %s as d
               where d.fts @@ $1 %s
               order by score desc, d.id
               limit $3) as h
      $query$,
      pgvec.keyword_score(ranking), collection.relation, 'and ' || nullif(condition, ''))
      into hits
      using candidates, bound, match_count, query.weights, query.words;
    exit when cardinality(hits) >= match_count or candidates = query.words;
  end loop;
  return coalesce(hits, '{}');
end
$$;
comment on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb) is
  'The match_count rows that score highest for a keyword query (pgvec.keyword_query) by a ranking (bm25, ts_rank, ts_rank_cd) '
  'and meet the condition of pgvec.filter_condition: best first, ties by id.';
revoke all on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb)', 'reader');
