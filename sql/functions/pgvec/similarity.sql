-- pgvec.similarity -- a distance as a similarity, which grows as rows get nearer.
-- No search_path of its own, so that it is inlined into the searches, which need it for every row. Its operators are
-- qualified instead.
create or replace function pgvec.similarity(distance text, value float8)
  returns float8
  language sql immutable parallel safe
  security invoker
as $$
  select case
           when distance operator(pg_catalog.=) 'cosine' then 1::float8 operator(pg_catalog.-) value
           when distance operator(pg_catalog.=) 'inner_product' then operator(pg_catalog.-) value
           else 1::float8 operator(pg_catalog./) (1::float8 operator(pg_catalog.+) value)
         end
$$;
comment on function pgvec.similarity(text, float8) is
  'The similarity of a distance value: cosine 1 - d (-1 to 1), inner_product the product itself, l2 and l1 1 / (1 + d) (0 to 1).';
revoke all on function pgvec.similarity(text, float8) from public;
select pgvec.grant_execute('pgvec.similarity(text, float8)', 'reader');
