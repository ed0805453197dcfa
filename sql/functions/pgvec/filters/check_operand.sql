-- pgvec.check_operand -- PV003 unless there is such a filter operator, and it can take what it is given.
create or replace function pgvec.check_operand(accessor text, operator text, operand jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  max_values constant int := 1000;
  wanted text := case
                   when operator in ('$eq', '$ne', '$contains') then 'a string, number, boolean or null'
                   when operator in ('$gt', '$gte', '$lt', '$lte') then 'a number or a string'
                   when operator in ('$in', '$nin', '$containsAny', '$containsAll') then 'a list of strings, numbers, booleans or nulls'
                   when operator = '$between' then 'a list of two numbers or two strings, the lower first'
                   when operator = '$exists' then 'true or false'
                   when operator in ('$like', '$ilike') then 'a pattern with % and _'
                 end;
  kind text := jsonb_typeof(operand);
  kinds text[] := case kind when 'array' then array(select jsonb_typeof(e.value) from jsonb_array_elements(operand) as e) end;
  fits  boolean;
begin
  if operator = '$text' then
    raise exception using
      errcode = 'PV003',
      message = 'filter operator $text stands below the top',
      hint    = 'it holds for the whole row: {"$text": "connection pool", "$or": [...]}';
  end if;
  if wanted is null then
    raise exception using
      errcode = 'PV003',
      message = format('unknown filter operator %s', left(operator, 80)),
      hint    = 'operators: $eq $ne $gt $gte $lt $lte $in $nin $between $exists $like $ilike $contains $containsAny $containsAll $and $or $not';
  end if;
  if accessor = '@' then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s stands without a key', operator),
      hint    = format('say which key it is for: {"year": {%s: ...}}', to_json(operator));
  end if;

  fits := case
         when operator in ('$eq', '$ne', '$contains') then kind not in ('object', 'array')
         when operator in ('$gt', '$gte', '$lt', '$lte') then kind in ('number', 'string')
         when operator in ('$in', '$nin', '$containsAny', '$containsAll') then kinds is not null and not kinds && '{object,array}'
         when operator = '$between' then coalesce(kinds in ('{number,number}', '{string,string}'), false)
         when operator = '$exists' then kind = 'boolean'
         else kind = 'string' and (operand #>> '{}') !~ '(^|[^\\])(\\\\)*\\$'
       end;
  if not fits then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s takes %s, not %s', operator, wanted, left(operand::text, 80)),
      hint    = case
                  when operator in ('$eq', '$ne') then 'an object or a list is matched by containment: {"author": {"name": "Ann"}, "tags": ["sql"]}'
                  when operator in ('$like', '$ilike') then 'a backslash makes the next character plain, so it cannot be the last'
                  else format('for example {"key": {%s: %s}}', to_json(operator),
                              case
                                when operator in ('$in', '$nin', '$containsAny', '$containsAll') then '["a", "b"]'
                                when operator = '$between' then '[2000, 2020]'
                                when operator = '$exists' then 'true'
                                when operator = '$contains' then '"a"'
                                else '2020'
                              end)
                end;
  end if;
  if cardinality(kinds) > max_values then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s has %s values, more than %s', operator, cardinality(kinds), max_values),
      hint    = 'mark the rows you mean in their metadata, and filter by that';
  end if;
end
$$;
comment on function pgvec.check_operand(text, text, jsonb) is
  'Raises PV003 for an unknown filter operator, for one without a key, for an operand of the wrong type, '
  'and a list of more than 1,000 values. How many patterns there may be: pgvec.check_patterns.';
revoke all on function pgvec.check_operand(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.check_operand(text, text, jsonb)', 'reader');
