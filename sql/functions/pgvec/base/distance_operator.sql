-- pgvec.distance_operator -- pgvector's operator for a distance, without its schema.
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
  'pgvector''s operator for cosine, l2, inner_product or l1. That of inner_product returns the negative product, so that less is nearer for all.';
revoke all on function pgvec.distance_operator(text) from public;
select pgvec.grant_execute('pgvec.distance_operator(text)', 'reader');
