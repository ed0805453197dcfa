-- pgvec.decay -- scores that shrink with age: half of a score is left at half_life, a quarter at twice that.
-- A row without a date keeps its score, and so does one from the future. After 500 half-lives nothing is left to halve.
drop function if exists pgvec.decay(pgvec.collections, pgvec.fused[], text, interval);

create or replace function pgvec.decay(request pgvec.search_request, hits pgvec.fused[], recency_field text, half_life interval)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  decayed pgvec.fused[];
begin
  execute format(
    $query$
    select array_agg((h.id, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank)::pgvec.fused order by h.score desc, h.id)
      from (select h.id, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank,
                   greatest(h.score, 0)
                   * 0.5 ^ coalesce(least(greatest(extract(epoch from now() - a.born) / extract(epoch from $3), 0), 500)::float8, 0) as score
              from unnest($1) as h
              join %s as d on d.id = h.id
             cross join lateral pgvec.as_timestamp(d.metadata -> $2) as a (born)) as h
    $query$, pgvec.rows_of(request, by_key => 'h.id'))
    into decayed
    using hits, recency_field, half_life;
  return coalesce(decayed, '{}');
end
$$;
comment on function pgvec.decay(pgvec.search_request, pgvec.fused[], text, interval) is
  'The hits with score * 0.5 ^ (age / half_life), best first; the age is that of the date at recency_field in metadata (pgvec.as_timestamp).';
revoke all on function pgvec.decay(pgvec.search_request, pgvec.fused[], text, interval) from public;
select pgvec.grant_execute('pgvec.decay(pgvec.search_request, pgvec.fused[], text, interval)', 'reader');
