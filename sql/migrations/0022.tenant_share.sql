-- depends: 0021.postings
-- Which part of the rows are a tenant's, for searches that one look along the index answers: see pgvec.searched_tenants.

do $$
begin
  if not exists (select from pg_catalog.pg_attribute as a
                  where a.attrelid = (select t.typrelid from pg_catalog.pg_type as t where t.oid = 'pgvec.search_request'::regtype)
                    and a.attname = 'share') then
    alter type pgvec.search_request add attribute share float8;
  end if;
end
$$;

comment on type pgvec.search_request is
  'A search within the engine: the registry row; the tenants whose rows it is for (null where rows belong to none); whether the current user searches them directly '
  '(pgvec.finds_alone); the query vector, the rows wanted, the distance, '
  'the condition that rows d meet (of pgvec.filter_condition; it reads bound as $2), the least similarity; for words the query and the ranking; '
  'for hybrid_search its arguments of these names, depth being candidates; how the text is read (pgvec.reading); which part of the table''s rows are those of its only '
  'tenant, where that may matter (pgvec.searched_tenants). It holds SQL text: no function that runs as its owner takes one from a caller.';
