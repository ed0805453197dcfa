-- Searches and their p95 by equal parts of the time since then, oldest first; parts without a search are left out.
select l.collection,
       least(width_bucket(
         extract(epoch from l.searched_at),
         extract(epoch from now() - %(since)s::interval),
         extract(epoch from now()),
         %(parts)s), %(parts)s) - 1 as part,
       round(sum(1 / l.sample))::bigint as searches,
       percentile_cont(0.95) within group (order by l.ms) as p95_ms
  from pgvec.search_log as l
 where l.searched_at > now() - %(since)s::interval
   and l.collection = coalesce(%(collection)s, l.collection)
 group by l.collection, part
 order by l.collection, part
