-- match_documents with headlines; the text only marks words in them.
select m.id, m.similarity as score, m.content, m.metadata,
       pgvec.headline(c.language, m.content, pgvec.any_lexeme(c.language, %(text)s)) as headline
  from public.match_documents(query_embedding => %(embedding)s, match_count => %(count)s, filter => %(filter)s, match_threshold => %(threshold)s,
                              collection => %(collection)s, distance => %(distance)s) as m,
       pgvec.of_model(%(collection)s) as c
 order by m.similarity desc, m.id
