-- pgvec.compare_column -- what a filter says of one column, as an SQL condition.
-- As in metadata, a value of another type than the column's never matches and never raises: a comparison with null. What no
-- plain comparison expresses (lists, objects, arrays) is asked of the column as jsonb.
create or replace function pgvec.compare_column(
    key text, column_name text, type text, category text, value jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  conditions jsonb := value;
  parts      text[] := '{}'::text[];
  part       text;
  known      jsonb;
  operands   text[];
  operand    text;
  item       record;
  one        jsonb;
begin
  if jsonb_typeof(value) in ('string', 'number', 'boolean', 'null') then
    conditions := jsonb_build_object('$eq', value);
  end if;

  if category not in ('N', 'S', 'B', 'D', 'E') and type <> 'uuid' or jsonb_typeof(conditions) <> 'object' or conditions = '{}'
     or exists (select from jsonb_object_keys(conditions) as k where coalesce(pgvec.filter_operators() -> k ->> 'reads', 'jsonb') = 'jsonb') then
    part := format('jsonb_strip_nulls(jsonb_build_object(%L, %s))', key, column_name);
    select p.bound, p.condition into bound, condition from pgvec.pattern_condition(part, part, '@', jsonb_build_object(key, value), bound) as p;
    return;
  end if;

  for item in
    select e.key, e.value from jsonb_each(conditions) as e
  loop
    known := pgvec.filter_operator('', item.key, item.value);
    operands := '{}';
    for one in
      select o from jsonb_array_elements(case when jsonb_typeof(item.value) = 'array' then item.value else jsonb_build_array(item.value) end) as o
    loop
      if jsonb_typeof(one) = 'number' then
        one := to_jsonb(trim_scale(one::numeric));  -- 82000.0 is 82000, also to a column of integers
      end if;
      case known ->> 'reads'
        when 'nothing' then
          exit;
        when 'text' then
          operand := case category when 'S' then format('($2 ->> %s)', jsonb_array_length(bound)) end;
        when 'ordered', 'equal' then
          operand := pgvec.column_operand(type, category, one, jsonb_array_length(bound));
          if known ->> 'reads' = 'equal' and right(operand, length(type) + 2) <> '::' || type then
            operand := null;  -- a number that no value of the column equals
          end if;
      end case;
      operands := operands || operand;
      if operand is not null then
        bound := bound || jsonb_build_array(one);
      end if;
    end loop;

    part := format(
      known ->> 'over_column',
      column_name,
      case known ->> 'joined' when '' then coalesce(operands[1], 'null') else array_to_string(operands, ', ') end,
      coalesce(operands[2], 'null'),
      type);
    if known ->> 'reads' = 'equal' and item.value @> 'null' then
      part := format('%s or %s is null', part, column_name);
    end if;
    parts := parts || format(case when known ->> 'negated' in ('always', item.value::text) then '(%s) is not true' else '(%s)' end, part);
  end loop;
  condition := format('(%s)', coalesce(nullif(array_to_string(parts, ' and '), ''), 'true'));
end
$$;
comment on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) is
  'The condition of a filter''s value (plain, or operators) for a column of a type and pg_type.typcategory, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.compare_column(text, text, text, text, jsonb, jsonb)', 'reader');
