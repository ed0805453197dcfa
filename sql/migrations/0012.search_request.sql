-- depends: 0011.load_tenants
-- What a search asks for, checked and worked out once: see pgvec.vector_request and pgvec.scoped.

do $$
begin
  if to_regtype('pgvec.search_request') is null then
    create type pgvec.search_request as (
      collection      pgvec.collections,
      tenants         uuid[],
      alone           boolean,
      query_embedding extensions.vector,
      wanted          int,
      distance        text,
      condition       text,
      bound           jsonb,
      match_threshold float8,
      query           pgvec.keyword_query,
      ranking         text,
      query_text      text,
      filter          jsonb,
      fusion          text,
      semantic_weight float8,
      full_text_weight float8,
      rrf_k           int,
      depth           int,
      group_by        text,
      diversity       float8,
      recency_field   text,
      half_life       interval,
      autocut         boolean
    );
  end if;
end
$$;

comment on type pgvec.search_request is
  'A search within the engine: the registry row; the tenants whose rows it is for (null where rows belong to none); whether the current user searches them directly '
  '(pgvec.finds_alone); the query vector, the rows wanted, the distance, '
  'the condition that rows d meet (of pgvec.filter_condition; it reads bound as $2), the least similarity; for words the query and the ranking; '
  'for hybrid_search its arguments of these names, depth being candidates. '
  'It holds SQL text: no function that runs as its owner takes one from a caller.';

revoke all on type pgvec.search_request from public;
