-- pgvec.similarity -- a distance as a similarity, which grows as rows get nearer.
create or replace function pgvec.similarity(distance text, value float8)
  returns float8
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return case
           when distance = 'cosine' then 1::float8 - value
           when distance = 'inner_product' then - value
           else 1::float8 / (1::float8 + value)
         end;
end
$$;
comment on function pgvec.similarity(text, float8) is
  'The similarity of a distance value: cosine 1 - d (-1 to 1), inner_product the product itself, l2 and l1 1 / (1 + d) (0 to 1).';
revoke all on function pgvec.similarity(text, float8) from public;
select pgvec.grant_execute('pgvec.similarity(text, float8)', 'reader');
