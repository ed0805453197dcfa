-- pgvec.distance_operator -- pgvector's operator of a distance, without its schema.
create or replace function pgvec.distance_operator(distance text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return case
           when distance = 'cosine' then '<=>'
           when distance = 'l2' then '<->'
           when distance = 'inner_product' then '<#>'
           when distance = 'l1' then '<+>'
         end;
end
$$;
comment on function pgvec.distance_operator(text) is
  'The operator of pgvector for cosine, l2, inner_product or l1: negative for the inner product, so that less is nearer for all.';
revoke all on function pgvec.distance_operator(text) from public;
select pgvec.grant_execute('pgvec.distance_operator(text)', 'reader');
