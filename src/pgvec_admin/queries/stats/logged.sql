-- Distinct searches of the log that can be repeated, the most frequent first: those logged with their text or vector, for
-- at most one tenant.
select l.function,
       l.query_text as text,
       l.query_embedding::text as embedding,
       l.query_filter as filter,
       (l.tenants[1])::text as tenant,
       count(*) as logged
  from pgvec.search_log as l
 where l.collection = %(collection)s
   and l.searched_at > now() - %(since)s::interval
   and case when l.function = 'match_documents' then l.query_embedding is not null else l.query_text is not null end
   and (l.query_filter is not null or not l.filtered)
   and coalesce(cardinality(l.tenants), 0) < 2
 group by 1, 2, 3, 4, 5
 order by logged desc, max(l.searched_at) desc
 limit %(limit)s
