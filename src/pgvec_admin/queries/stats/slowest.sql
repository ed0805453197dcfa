-- The texts whose searches took longest since then.
select l.collection, l.function, l.query_text as text, count(*) as logged, max(l.ms) as ms, max(l.searched_at) as last_searched_at
  from pgvec.search_log as l
 where l.searched_at > now() - %(since)s::interval
   and l.collection = coalesce(%(collection)s, l.collection)
   and l.query_text is not null
 group by l.collection, l.function, l.query_text
 order by ms desc
 limit 5
