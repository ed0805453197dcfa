-- pgvec.column_operand -- a value of a filter as an SQL expression of a column's type; null where it can equal none.
-- The value itself stays in the parameter $2. A fraction beside an integer column is compared as numeric.
create or replace function pgvec.column_operand(type text, category text, value jsonb, place int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target_type text := type;
begin
  if jsonb_typeof(value) is distinct from (case category when 'N' then 'number' when 'B' then 'boolean' else 'string' end)
     and not (type in ('money', 'oid') and jsonb_typeof(value) = 'string')  -- as which the metadata shows them
  then
    return null;
  end if;
  begin
    if category = 'N' and type in ('smallint', 'integer', 'bigint') and (value #>> '{}')::numeric % 1 <> 0 then
      target_type := 'numeric';
    end if;
    execute format('select ($1 #>> ''{}'')::%s', target_type) using value;
  exception when data_exception or check_violation then
    -- no date, no uuid, nothing of the domain, or a number out of range of its type: a number is still greater or less
    if category <> 'N' or type ~ '^(money|oid|reg.*)$' then
      return null;
    elsif type in ('real', 'double precision') then
      return format('%L::float8', case when abs((value #>> '{}')::numeric) < 1 then '5e-324' else 'infinity' end::float8 * sign((value #>> '{}')::numeric));
    end if;
    target_type := 'numeric';
  end;
  return format('($2 ->> %s)::%s', place, target_type);
end
$$;
comment on function pgvec.column_operand(text, text, jsonb, int) is
  'The expression that reads a value of a filter from place of $2 as a column''s type, or null for a value of another type, which matches no row.';
revoke all on function pgvec.column_operand(text, text, jsonb, int) from public;
select pgvec.grant_execute('pgvec.column_operand(text, text, jsonb, int)', 'reader');
