-- match_documents by a distance, as JSON: its similarity converted back to pgvector's distance.
select coalesce(json_agg(
         json_build_object('chunkId', m.id, 'score',
                           case %(distance)s
                             when 'cosine' then 1 - m.similarity
                             when 'l2' then 1 / m.similarity - 1
                             else - m.similarity
                           end) order by m.ordinality), '[]')::text,
       count(*),
       (select sum(pg_stat_get_xact_numscans(i::oid)) from unnest(%(indexes)s::bigint[]) as i),
       case when %(versioned)s then pgvec.collection_version(%(collection)s, %(tenant)s) end
  from public.match_documents(query_embedding => %(embedding)s, match_count => %(top_k)s, collection => %(collection)s, for_tenant => %(tenant)s,
                              distance => %(distance)s)
       with ordinality as m
