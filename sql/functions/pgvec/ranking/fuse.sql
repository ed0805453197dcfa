-- pgvec.fuse -- one score of two, for the candidates of a hybrid search.
--   rrf       w / (rrf_k + rank) of either side, added: reciprocal rank fusion, Cormack, Clarke and Buettcher (2009)
--   dbsf      either score where it lies between three standard deviations below the mean of the candidates and three
--             above, 0 to 1 (distribution-based score fusion, as Qdrant named it), weighted and added; one that lies
--             farther out goes beyond
--   minmax    either score between the least (0) and the greatest (1) of the candidates, weighted and added
--   weighted  the similarity itself, and the keyword score: of ts_rank and ts_rank_cd itself, of bm25 over the greatest
-- A score that a row does not have adds nothing, and so does a side that found nothing.
create or replace function pgvec.fuse(
    candidates pgvec.fused[], fusion text, semantic_weight float8, full_text_weight float8, rrf_k int, ranking text)
  returns pgvec.fused[]
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with given as (
           select c.id, c.similarity, c.keyword_score, c.place,
                  avg(c.similarity) over () - 3 * nullif(stddev_pop(c.similarity) over (), 0) as semantic_low,
                  6 * nullif(stddev_pop(c.similarity) over (), 0) as semantic_spread,
                  avg(c.keyword_score) over () - 3 * nullif(stddev_pop(c.keyword_score) over (), 0) as keyword_low,
                  6 * nullif(stddev_pop(c.keyword_score) over (), 0) as keyword_spread,
                  min(c.similarity) over () as semantic_least,
                  max(c.similarity) over () as semantic_most,
                  min(c.keyword_score) over () as keyword_least,
                  max(c.keyword_score) over () as keyword_most,
                  case when c.similarity is not null then row_number() over (order by c.similarity desc nulls last, c.id) end as semantic_rank,
                  case when c.keyword_score > 0 then row_number() over (order by c.keyword_score desc nulls last, c.id) end as keyword_rank
             from unnest(candidates) with ordinality as c (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)),
         sides as (
           select g.*,
                  case fusion
                    when 'rrf' then 1.0 / (rrf_k + g.semantic_rank)
                    when 'dbsf' then coalesce((g.similarity - g.semantic_low) / g.semantic_spread, 0.5)
                    when 'minmax' then coalesce((g.similarity - g.semantic_least) / nullif(g.semantic_most - g.semantic_least, 0), 1)
                    when 'weighted' then g.similarity
                  end as semantic_part,
                  case
                    when fusion = 'rrf' then 1.0 / (rrf_k + g.keyword_rank)
                    when g.keyword_most = 0 then 0
                    when fusion = 'dbsf' then coalesce((g.keyword_score - g.keyword_low) / g.keyword_spread, 0.5)
                    when fusion = 'minmax' then coalesce((g.keyword_score - g.keyword_least) / nullif(g.keyword_most - g.keyword_least, 0), 1)
                    when ranking = 'bm25' then g.keyword_score / g.keyword_most
                    else g.keyword_score
                  end as keyword_part
             from given as g),
         scored as (
           select s.*,
                  semantic_weight * case when s.similarity is null then 0 else coalesce(s.semantic_part, 0) end
                  + full_text_weight * case when s.keyword_score is null then 0 else coalesce(s.keyword_part, 0) end as score
             from sides as s)
    select coalesce(
             array_agg((s.id, s.score, s.similarity, s.keyword_score, s.semantic_rank, s.keyword_rank)::pgvec.fused
                       order by s.score desc, s.id),
             '{}')
      from scored as s);
end
$$;
comment on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) is
  'The candidates of a hybrid search with score and ranks, best first, ties by id. fusion: rrf, dbsf, minmax or weighted. Ranks count from 1 among all candidates; '
  'a row without an embedding has no semantic_rank, one without any of the words no keyword_rank.';
revoke all on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) from public;
select pgvec.grant_execute('pgvec.fuse(pgvec.fused[], text, float8, float8, int, text)', 'reader');
