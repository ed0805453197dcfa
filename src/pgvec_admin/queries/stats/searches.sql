-- The search log since a time, by collection, function and route: as pgvec.stats, which has no time limit.
select l.collection,
       l.function,
       l.route,
       count(*) as logged,
       round(sum(1 / l.sample))::bigint as searches,
       percentile_cont(0.5) within group (order by l.ms) as p50_ms,
       percentile_cont(0.95) within group (order by l.ms) as p95_ms,
       percentile_cont(0.99) within group (order by l.ms) as p99_ms,
       percentile_disc(0.5) within group (order by l.returned) as returned_p50,
       avg((l.returned < l.requested)::int)::float8 as short_share,
       percentile_cont(0.1) within group (order by l.top_score) as top_score_p10,
       percentile_cont(0.5) within group (order by l.top_score) as top_score_p50,
       max(l.searched_at) as last_searched_at
  from pgvec.search_log as l
 where l.searched_at > now() - %(since)s::interval
   and l.collection = coalesce(%(collection)s, l.collection)
 group by l.collection, l.function, l.route
 order by l.collection, l.function, searches desc, l.route
