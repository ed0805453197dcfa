-- pgvec.best_of_groups -- only the best hit of each group: one chunk of each document, for example.
-- A row without a group stands for itself.
drop function if exists pgvec.best_of_groups(pgvec.collections, pgvec.fused[], text);

create or replace function pgvec.best_of_groups(request pgvec.search_request, hits pgvec.fused[], group_by text)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  best pgvec.fused[];
begin
  execute format(
    $query$
    select array_agg((g.id, g.score, g.similarity, g.keyword_score, g.semantic_rank, g.keyword_rank)::pgvec.fused order by g.place)
      from (select distinct on (coalesce('group ' || %1$s, 'row ' || d.id)) h.*
              from unnest($1) with ordinality as h (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
              join %2$s as d on d.id = h.id
             order by coalesce('group ' || %1$s, 'row ' || d.id), h.place) as g
    $query$,
    case group_by when 'source' then 'd.source' else '(d.metadata ->> $2)' end, pgvec.rows_of(request, by_key => 'h.id'))
    into best
    using hits, group_by;
  return coalesce(best, '{}');
end
$$;
comment on function pgvec.best_of_groups(pgvec.search_request, pgvec.fused[], text) is
  'The first hit of each source (group_by source) or of each value at a key of metadata, in the order of the hits.';
revoke all on function pgvec.best_of_groups(pgvec.search_request, pgvec.fused[], text) from public;
select pgvec.grant_execute('pgvec.best_of_groups(pgvec.search_request, pgvec.fused[], text)', 'reader');
