-- pgvec.check_count -- PV004 unless a number is within its range.
create or replace function pgvec.check_count(argument text, value bigint, lowest bigint, highest bigint)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if value is null or value not between lowest and highest then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be %s', argument, coalesce(value::text, 'null')),
      hint    = format('a number from %s to %s', lowest, highest);
  end if;
end
$$;
comment on function pgvec.check_count(text, bigint, bigint, bigint) is 'Raises PV004, with the range, for a number outside it and for null.';
revoke all on function pgvec.check_count(text, bigint, bigint, bigint) from public;
select pgvec.grant_execute('pgvec.check_count(text, bigint, bigint, bigint)', 'reader');
