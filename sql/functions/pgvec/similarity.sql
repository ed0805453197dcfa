-- pgvec.similarity -- a distance as a similarity, which grows as rows get nearer.
create or replace function pgvec.similarity(distance text, value float8)
  returns float8
  language sql immutable parallel safe
  security invoker set search_path = ''
as $$
  select case distance
           when 'cosine' then 1 - value
           when 'inner_product' then - value
           else 1 / (1 + value)
         end
$$;
comment on function pgvec.similarity(text, float8) is
  'The similarity of a distance value: cosine 1 - d (-1 to 1), inner_product the product itself, l2 and l1 1 / (1 + d) (0 to 1).';
revoke all on function pgvec.similarity(text, float8) from public;
select pgvec.grant_execute('pgvec.similarity(text, float8)', 'reader');
