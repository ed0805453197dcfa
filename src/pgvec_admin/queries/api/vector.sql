-- match_documents, as JSON: with a headline where words are given to mark.
select coalesce(json_agg(
         case
           when %(words)s::text is null then
             json_build_object('id', m.id, 'content', m.content, 'metadata', m.metadata, 'score', m.similarity)
           else
             json_build_object('id', m.id, 'content', m.content, 'metadata', m.metadata, 'score', m.similarity,
                               'headline', (select pgvec.headline(c.language, m.content, pgvec.any_lexeme(c.language, %(words)s))
                                              from pgvec.of_model(%(collection)s) as c))
         end order by m.ordinality), '[]')::text,
       count(*),
       (select sum(pg_stat_get_xact_numscans(i::oid)) from unnest(%(indexes)s::bigint[]) as i),
       case when %(versioned)s then pgvec.collection_version(%(collection)s, %(tenant)s) end
  from public.match_documents(query_embedding => %(embedding)s, match_count => %(top_k)s, filter => %(filter)s, match_threshold => %(min_score)s,
                              collection => %(collection)s, for_tenant => %(tenant)s)
       with ordinality as m
