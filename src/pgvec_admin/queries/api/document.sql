-- One row by its id, as JSON.
select json_build_object('id', d.id, 'content', d.content, 'metadata', d.metadata, 'source', d.source, 'chunk_index', d.chunk_index)::text
  from public.document_context(%(id)s, 0, 0, %(collection)s, %(tenant)s) as d
 where d.is_hit
 limit 1
