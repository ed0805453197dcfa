-- hybrid_search with headlines.
select h.id, h.score, h.content, h.metadata, h.similarity, h.keyword_score,
       pgvec.headline(c.language, h.content, pgvec.any_lexeme(c.language, %(text)s)) as headline
  from public.hybrid_search(query_text => %(text)s, query_embedding => %(embedding)s, match_count => %(count)s, filter => %(filter)s,
                            match_threshold => %(threshold)s, ranking => %(ranking)s, fusion => %(fusion)s, group_by => %(group_by)s,
                            collection => %(collection)s, syntax => %(syntax)s, fuzzy => %(fuzzy)s, prefix => %(prefix)s) with ordinality as h,
       pgvec.of_model(%(collection)s) as c
 order by h.ordinality
