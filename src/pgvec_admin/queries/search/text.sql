-- search with headlines: without a model.
select s.id, s.score, s.content, s.metadata, s.similarity, s.keyword_score, s.headline
  from public.search(query_text => %(text)s, match_count => %(count)s, filter => %(filter)s, collection => %(collection)s,
                     highlight => true, group_by => %(group_by)s, match_threshold => %(threshold)s) with ordinality as s
 order by s.ordinality
