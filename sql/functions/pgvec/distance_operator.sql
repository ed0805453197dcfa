-- pgvec.distance_operator -- pgvector's operator of a distance, without its schema.
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.distance_operator(distance text)
  returns text
  language sql immutable parallel safe
  security invoker
as $$
  select case
           when distance operator(pg_catalog.=) 'cosine' then '<=>'
           when distance operator(pg_catalog.=) 'l2' then '<->'
           when distance operator(pg_catalog.=) 'inner_product' then '<#>'
           when distance operator(pg_catalog.=) 'l1' then '<+>'
         end
$$;
comment on function pgvec.distance_operator(text) is
  'The operator of pgvector for cosine, l2, inner_product or l1: negative for the inner product, so that less is nearer for all.';
revoke all on function pgvec.distance_operator(text) from public;
select pgvec.grant_execute('pgvec.distance_operator(text)', 'reader');
