-- pgvec.check_threshold -- PV004 for a threshold that no row can reach; distance null is for scores without an upper bound.
-- The usual mistake is a percentage (78 for 0.78), which would silently return nothing.
create or replace function pgvec.check_threshold(distance text, match_threshold float8)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  highest float8 := case when distance is null or distance = 'inner_product' then 'infinity'::float8 else 1 end;
begin
  if match_threshold > highest then  -- NaN sorts above all
    raise exception using
      errcode = 'PV004',
      message = format('match_threshold cannot be %s', match_threshold),
      hint    = case highest
                  when 1 then format('a similarity by %s is at most 1; 0.78 means 78 %%', distance)
                  else 'no score compares with it; null asks for all'
                end;
  end if;
end
$$;
comment on function pgvec.check_threshold(text, float8) is 'Raises PV004 for a match_threshold above the highest similarity that a distance can give.';
revoke all on function pgvec.check_threshold(text, float8) from public;
select pgvec.grant_execute('pgvec.check_threshold(text, float8)', 'reader');
