-- pgvec.as_timestamp -- a metadata value as a timestamp, null where it is not one: one odd row must not fail a search.
create or replace function pgvec.as_timestamp(value jsonb)
  returns timestamptz
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(value) = 'number' then
    return to_timestamp((value #>> '{}')::float8);
  elsif jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^\d{4}-\d' then
    return (value #>> '{}')::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_parameter_value or numeric_value_out_of_range then
  return null;
end
$$;
comment on function pgvec.as_timestamp(jsonb) is
  'A date or time in ISO 8601 ("2026-01-31", "2026-01-31T12:00:00Z"), or a number of seconds since 1970, as a timestamp; null for anything else.';
revoke all on function pgvec.as_timestamp(jsonb) from public;
select pgvec.grant_execute('pgvec.as_timestamp(jsonb)', 'reader');
