-- keyword_search with headlines.
select k.id, k.score, k.content, k.metadata, k.headline
  from public.keyword_search(query_text => %(text)s, match_count => %(count)s, filter => %(filter)s, ranking => %(ranking)s,
                             collection => %(collection)s, highlight => true, syntax => %(syntax)s, fuzzy => %(fuzzy)s, prefix => %(prefix)s) as k
