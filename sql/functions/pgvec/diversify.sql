-- pgvec.diversify -- the hits in an order that repeats itself less: maximal marginal relevance.
-- The next is always the hit with the greatest (1 - diversity) * score - diversity * its greatest cosine similarity to
-- those before it; scores count from 0 (the least) to 1 (the greatest). Carbonell and Goldstein (1998).
create or replace function pgvec.diversify(collection pgvec.collections, hits pgvec.fused[], diversity float8, wanted int)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  embeddings extensions.vector[];
  relevance  float8[];
  nearest    float8[];    -- similarity to the nearest of those chosen
  chosen     pgvec.fused[] := '{}'::pgvec.fused[];
  best       int;
begin
  execute format(
    $query$
    select array_agg(d.embedding::extensions.vector order by h.place),
           array_agg(coalesce((h.score - h.least) / nullif(h.most - h.least, 0), 1) order by h.place),
           array_agg(0::float8)
      from (select x.id, x.score, x.place, min(x.score) over () as least, max(x.score) over () as most
              from unnest($1) with ordinality as x (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)) as h
      left join %s as d on d.id = h.id
    $query$, pgvec.rows_of(collection, by_key => 'h.id'))
    into embeddings, relevance, nearest
    using hits;

  for step in 1 .. least(wanted, cardinality(hits)) loop
    best := (select place
               from unnest(relevance, nearest) with ordinality as r (relevance, nearest, place)
              where r.relevance is not null
              order by (1 - diversity) * r.relevance - diversity * r.nearest desc, place
              limit 1);
    chosen := chosen || hits[best];
    relevance[best] := null;
    nearest := array(select case
                              when step = 1 then coalesce(e.similarity, 0)
                              else greatest(e.nearest, e.similarity)
                            end
                       from (select n.place, n.nearest, 1 - (n.embedding operator(extensions.<=>) embeddings[best]) as similarity
                               from unnest(nearest, embeddings) with ordinality as n (nearest, embedding, place)) as e
                      order by e.place);
  end loop;
  return chosen;
end
$$;
comment on function pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int) is
  'The first wanted hits by maximal marginal relevance: diversity 0 keeps the order of the scores, 1 looks only at how unlike each other they are.';
revoke all on function pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int) from public;
select pgvec.grant_execute('pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int)', 'reader');
