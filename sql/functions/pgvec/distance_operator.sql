-- pgvec.distance_operator -- pgvector's operator for a distance, or PV004.
create or replace function pgvec.distance_operator(distance text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = ''
as $$
begin
  perform pgvec.check_choice('distance', distance, '{cosine,l2,inner_product,l1}');
  return case distance
           when 'cosine' then '<=>'
           when 'l2' then '<->'
           when 'inner_product' then '<#>'
           when 'l1' then '<+>'
         end;
end
$$;
comment on function pgvec.distance_operator(text) is
  'pgvector''s operator of a distance: cosine <=>, l2 <->, inner_product <#> (the negative product), l1 <+>. Raises PV004 for another.';
revoke all on function pgvec.distance_operator(text) from public;
select pgvec.grant_execute('pgvec.distance_operator(text)', 'reader');
