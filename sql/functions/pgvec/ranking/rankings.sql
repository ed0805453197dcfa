-- pgvec.rankings -- the rankings for keywords, by name: the one place that knows them.
--   score          the SQL expression for what a row d scores; $4 are the weights of the query, $5 all its words
--   over_greatest  whether the fusion `weighted` divides it by the greatest score of the candidates, since it has no upper bound
-- Immutable and without arguments, so it is a constant of the plans that use it. A line with a null in it is no ranking.
create or replace function pgvec.rankings()
  returns jsonb
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select jsonb_object_agg(r.ranking, to_jsonb(r))
    from (values ('bm25', '-(d.bm25 operator(extensions.<#>) $4)', true),
                 ('ts_rank', 'ts_rank(d.fts, $5)::float8', false),
                 ('ts_rank_cd', 'ts_rank_cd(d.fts, $5)::float8', false)) as r (ranking, score, over_greatest)
   where r is not null
$$;
comment on function pgvec.rankings() is
  'The rankings for keywords by name: the expression of each, and whether its scores have no upper bound. '
  'select jsonb_object_keys(pgvec.rankings()) lists them.';
revoke all on function pgvec.rankings() from public;
select pgvec.grant_execute('pgvec.rankings()', 'reader');
