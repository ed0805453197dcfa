-- pgvec.check_choice -- PV004 unless an argument is one of the allowed values.
create or replace function pgvec.check_choice(argument text, value text, choices text[])
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if value is null or value <> all (choices) then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be %s', argument, pgvec.shown(value)),
      hint    = format('one of: %s', array_to_string(choices, ', '));
  end if;
end
$$;
comment on function pgvec.check_choice(text, text, text[]) is
  'Raises PV004, listing the choices, unless the value of an argument is one of them.';
revoke all on function pgvec.check_choice(text, text, text[]) from public;
select pgvec.grant_execute('pgvec.check_choice(text, text, text[])', 'reader');
