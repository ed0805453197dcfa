-- One row by its id, as JSON.
select json_build_object('id', d.id, 'content', d.content, 'metadata', d.metadata, 'source', d.source, 'chunk_index', d.chunk_index)::text
  from public.document_context(document_id => %(id)s, before => 0, after => 0, collection => %(collection)s, for_tenant => %(tenant)s) as d
 where d.is_hit
 limit 1
