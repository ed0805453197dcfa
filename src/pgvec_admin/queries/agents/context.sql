-- document_context, as JSON.
select coalesce(json_agg(
         json_build_object('id', d.id, 'source', d.source, 'chunk_index', d.chunk_index, 'is_hit', d.is_hit, 'content', d.content, 'metadata', d.metadata)
         order by d.ordinality), '[]')::text
  from public.document_context(document_id => %(id)s, before => %(before)s, after => %(after)s, collection => %(collection)s, for_tenant => %(tenant)s)
       with ordinality as d
