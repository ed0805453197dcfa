-- pgvec.autocut -- the hits before the largest drop of the score; all of them where the score never drops.
create or replace function pgvec.autocut(hits pgvec.fused[])
  returns pgvec.fused[]
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(hits[:d.place], hits)
      from (select s.place::int, s.score - lead(s.score) over (order by s.place) as drop
              from unnest(hits) with ordinality as s (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
             order by drop desc nulls last, s.place
             limit 1) as d
     where d.drop > 0
     union all
    select hits
     limit 1);
end
$$;
comment on function pgvec.autocut(pgvec.fused[]) is 'The hits, sorted by score, up to the largest difference between one score and the next.';
revoke all on function pgvec.autocut(pgvec.fused[]) from public;
select pgvec.grant_execute('pgvec.autocut(pgvec.fused[])', 'reader');
