-- pgvec.compare_column -- what a filter says of one column, as an SQL condition.
-- As in metadata, a value of another type than the column's never matches and never raises. What no plain comparison
-- expresses (lists, objects, arrays) is asked of the column as jsonb.
create or replace function pgvec.compare_column(
    key text, column_name text, type text, category text, value jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  conditions jsonb := value;
  operators  constant jsonb := '{"$eq": "=", "$ne": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}'::jsonb;
  parts      text[] := '{}'::text[];
  part       text;
  operands   text[];
  operand    text;
  item       record;
  one        jsonb;
begin
  if jsonb_typeof(value) in ('string', 'number', 'boolean', 'null') then
    conditions := jsonb_build_object('$eq', value);
  end if;

  if category not in ('N', 'S', 'B', 'D', 'E') and type <> 'uuid' or jsonb_typeof(conditions) <> 'object'
     or exists (select from jsonb_object_keys(conditions) as k
                 where k not in ('$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$between', '$exists', '$like', '$ilike')) then
    part := format('jsonb_strip_nulls(jsonb_build_object(%L, %s))', key, column_name);
    select p.bound, p.condition into bound, condition from pgvec.pattern_condition(part, part, '@', jsonb_build_object(key, value), bound) as p;
    return;
  end if;

  for item in
    select e.key, e.value from jsonb_each(conditions) as e
  loop
    perform pgvec.check_operand('', item.key, item.value);
    operands := '{}';
    for one in
      select o from jsonb_array_elements(case when jsonb_typeof(item.value) = 'array' then item.value else jsonb_build_array(item.value) end) as o
    loop
      operand := pgvec.column_operand(type, category, one, jsonb_array_length(bound));
      if item.key in ('$eq', '$ne', '$in', '$nin') and right(operand, length(type) + 2) <> '::' || type then
        operand := null;  -- a number that no value of the column equals
      end if;
      operands := operands || operand;
      if operand is not null then
        bound := bound || jsonb_build_array(one);
      end if;
    end loop;

    part := case
              when item.key = '$exists' then format('%s is %s null', column_name, case when item.value = 'true' then 'not' else '' end)
              when item.key in ('$like', '$ilike') then
                case when category = 'S' then format('%s::text %s %s', column_name, substr(item.key, 2), operands[1]) else 'false' end
              when item.key in ('$in', '$nin') then
                format('(%s = any (array[%s]::%s[])%s)', column_name, array_to_string(operands, ', '), type,
                       case when item.value @> 'null' then format(' or %s is null', column_name) end)
              when item.key = '$between' then
                case when array_position(operands, null) is null
                  then format('(%1$s >= %2$s and %1$s <= %3$s)', column_name, operands[1], operands[2])
                  else 'false'
                end
              when item.value = 'null' then format('%s is null', column_name)
              when operands[1] is null then 'false'
              else format('%s %s %s', column_name, operators ->> item.key, operands[1])
            end;
    parts := parts || case when item.key in ('$ne', '$nin') then format('(%s) is not true', part) else part end;
  end loop;
  condition := format('(%s)', coalesce(nullif(array_to_string(parts, ' and '), ''), 'true'));
end
$$;
comment on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) is
  'The condition of a filter''s value (plain, or operators) for a column of a type and pg_type.typcategory, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.compare_column(text, text, text, text, jsonb, jsonb)', 'reader');
