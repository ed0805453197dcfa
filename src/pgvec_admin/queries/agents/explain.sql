-- pgvec.explain_search, as JSON.
select json_build_object('route', e.route, 'estimate', e.estimate, 'index', e.index, 'ef_search', e.ef_search, 'rows', e.rows, 'ms', e.ms, 'plan', e.plan)::text
  from pgvec.explain_search(collection => %(collection)s, query_embedding => %(embedding)s, match_count => %(top_k)s, filter => %(filter)s,
                            for_tenant => %(tenant)s) as e
