-- pgvec.fuse -- one score of two, for the candidates of a hybrid search. The one place that knows the fusions.
--   rrf       w / (rrf_k + rank) of either side, added: reciprocal rank fusion, Cormack, Clarke and Buettcher (2009)
--   dbsf      either score where it lies between three standard deviations below the mean of the candidates and three
--             above, 0 to 1 (distribution-based score fusion, as Qdrant named it), weighted and added; one that lies
--             farther out goes beyond
--   minmax    either score between the least (0) and the greatest (1) of the candidates, weighted and added
--   weighted  the similarity itself, and the keyword score: itself, or over the greatest (pgvec.rankings)
-- A score that a row does not have adds nothing, and so does a side that found nothing. Without candidates (null) only the name
-- is checked.
create or replace function pgvec.fuse(
    candidates pgvec.fused[], fusion text, semantic_weight float8, full_text_weight float8, rrf_k int, ranking text)
  returns pgvec.fused[]
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found   record;
  by_rank boolean := false;
  -- of a side: the score that counts 0, how far above it the one is that counts 1, and what scores count that are all equal
  semantic_low    float8;
  semantic_spread float8;
  keyword_low     float8;
  keyword_spread  float8;
  if_equal        float8;
begin
  select avg(c.similarity) as semantic_mean, stddev_pop(c.similarity) as semantic_deviation,
         min(c.similarity) as semantic_least, max(c.similarity) as semantic_most,
         avg(c.keyword_score) as keyword_mean, stddev_pop(c.keyword_score) as keyword_deviation,
         min(c.keyword_score) as keyword_least, max(c.keyword_score) as keyword_most
    into found
    from (select u.* from unnest(candidates) as u order by u.similarity desc nulls last, u.id) as c;  -- sums round by their order

  case fusion
    when 'rrf' then
      by_rank := true;
    when 'dbsf' then
      semantic_low := found.semantic_mean - 3 * found.semantic_deviation;
      semantic_spread := 6 * found.semantic_deviation;
      keyword_low := found.keyword_mean - 3 * found.keyword_deviation;
      keyword_spread := 6 * found.keyword_deviation;
      if_equal := 0.5;
    when 'minmax' then
      semantic_low := found.semantic_least;
      semantic_spread := found.semantic_most - found.semantic_least;
      keyword_low := found.keyword_least;
      keyword_spread := found.keyword_most - found.keyword_least;
      if_equal := 1;
    when 'weighted' then
      semantic_low := 0;
      semantic_spread := 1;
      keyword_low := 0;
      keyword_spread := case when (pgvec.rankings() -> ranking -> 'over_greatest')::boolean then found.keyword_most else 1 end;
      if_equal := 0;
    else
      raise exception using
        errcode = 'PV004',
        message = format('fusion cannot be %s', pgvec.shown(fusion)),
        hint    = 'one of: rrf, dbsf, minmax, weighted';
  end case;
  if candidates is null then
    return null;
  end if;

  return (
    with ranked as (
           select c.*,
                  case when c.similarity is not null then row_number() over (order by c.similarity desc nulls last, c.id) end as by_vector,
                  case when c.keyword_score > 0 then row_number() over (order by c.keyword_score desc nulls last, c.id) end as by_keyword
             from unnest(candidates) as c),
         scored as (
           select r.*,
                  semantic_weight * case
                                      when r.similarity is null then 0
                                      when by_rank then 1.0 / (rrf_k + r.by_vector)
                                      else coalesce((r.similarity - semantic_low) / nullif(semantic_spread, 0), if_equal)
                                    end
                  + full_text_weight * case
                                         when r.keyword_score is null or found.keyword_most = 0 then 0
                                         when by_rank then coalesce(1.0 / (rrf_k + r.by_keyword), 0)
                                         else coalesce((r.keyword_score - keyword_low) / nullif(keyword_spread, 0), if_equal)
                                       end as fused
             from ranked as r)
    select coalesce(
             array_agg((s.id, s.fused, s.similarity, s.keyword_score, s.by_vector, s.by_keyword)::pgvec.fused order by s.fused desc, s.id),
             '{}')
      from scored as s);
end
$$;
comment on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) is
  'The candidates of a hybrid search with score and ranks, best first, ties by id. fusion: rrf, dbsf, minmax or weighted; PV004 for another, '
  'also where candidates is null. Ranks count from 1 among all candidates; '
  'a row without an embedding has no semantic_rank, one without any of the words no keyword_rank.';
revoke all on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) from public;
select pgvec.grant_execute('pgvec.fuse(pgvec.fused[], text, float8, float8, int, text)', 'reader');
