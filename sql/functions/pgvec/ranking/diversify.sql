-- pgvec.diversify -- the hits in an order that repeats itself less: maximal marginal relevance.
-- The next is always the hit with the greatest (1 - diversity) * score - diversity * its greatest cosine similarity to
-- those before it; scores count from 0 (the least) to 1 (the greatest). Carbonell and Goldstein (1998).
drop function if exists pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int);

create or replace function pgvec.diversify(request pgvec.search_request, hits pgvec.fused[], diversity float8, wanted int)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  embeddings extensions.vector[];
  relevance  float8[];    -- (1 - diversity) * score; -infinity where the hit was chosen
  worth      float8[];    -- the same less diversity * the greatest similarity to those chosen
  taken      extensions.vector;
  places     int[] := '{}'::int[];
  best       int;
begin
  execute format(
    $query$
    select array_agg(case when d.embedding operator(extensions.<#>) d.embedding < 0 then d.embedding::extensions.vector end order by h.place),  -- a zero vector is like nothing
           array_agg((1 - $2) * coalesce((h.score - h.least) / nullif(h.most - h.least, 0), 1) order by h.place)
      from (select x.id, x.score, x.place, min(x.score) over () as least, max(x.score) over () as most
              from unnest($1) with ordinality as x (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)) as h
      left join %s as d on d.id = h.id
    $query$, pgvec.rows_of(request, by_key => 'h.id'))
    into embeddings, relevance
    using hits, diversity;
  worth := relevance;

  -- each step is one pass over the arrays; taking an element out of an array of vectors is another, hence once a step
  for step in 1 .. least(wanted, cardinality(hits)) loop
    best := array_position(worth, (select max(w.worth) from (select unnest(worth) as worth) as w));
    places := places || best;
    relevance[best] := '-infinity';
    taken := embeddings[best];
    worth := array(select case
                            when s.relevance = '-infinity' then s.relevance
                            when step = 1 then coalesce(s.relevance - diversity * (1 - (s.embedding operator(extensions.<=>) taken)), s.relevance)
                            else least(s.worth, s.relevance - diversity * (1 - (s.embedding operator(extensions.<=>) taken)))
                          end
                     from (select unnest(worth) as worth, unnest(relevance) as relevance, unnest(embeddings) as embedding) as s);
  end loop;
  return array(select hits[p.place] from unnest(places) with ordinality as p (place, number) order by p.number);
end
$$;
comment on function pgvec.diversify(pgvec.search_request, pgvec.fused[], float8, int) is
  'The first wanted hits by maximal marginal relevance: diversity 0 keeps the order of the scores, 1 considers only how unlike each other they are.';
revoke all on function pgvec.diversify(pgvec.search_request, pgvec.fused[], float8, int) from public;
select pgvec.grant_execute('pgvec.diversify(pgvec.search_request, pgvec.fused[], float8, int)', 'reader');
