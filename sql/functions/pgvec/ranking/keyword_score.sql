-- pgvec.keyword_score -- the SQL expression for what a row d scores by a ranking. The one place that knows the rankings.
-- $4 the weights of the query, $5 all its words.
create or replace function pgvec.keyword_score(ranking text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  expression constant text := case ranking
                                when 'bm25' then '-(d.bm25 operator(extensions.<#>) $4)'
                                when 'ts_rank' then 'ts_rank(d.fts, $5)::float8'
                                when 'ts_rank_cd' then 'ts_rank_cd(d.fts, $5)::float8'
                              end;
begin
  if expression is null then
    perform pgvec.check_choice('ranking', ranking, '{bm25,ts_rank,ts_rank_cd}');
  end if;
  return expression;
end
$$;
comment on function pgvec.keyword_score(text) is
  'The expression for the score of a row d by a ranking: bm25, ts_rank or ts_rank_cd. It reads the weights as $4 and the words as $5. Raises PV004 for another.';
revoke all on function pgvec.keyword_score(text) from public;
select pgvec.grant_execute('pgvec.keyword_score(text)', 'reader');
