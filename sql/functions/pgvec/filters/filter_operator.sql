-- pgvec.filter_operator -- an operator of a filter (pgvec.filter_operators), or PV003 unless it can take what it is given.
create or replace function pgvec.filter_operator(accessor text, operator text, operand jsonb)
  returns jsonb
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  max_values constant int := 1000;
  known      constant jsonb := pgvec.filter_operators() -> operator;
begin
  if operand::text ~ (known ->> 'fits') and accessor <> '@' and (jsonb_typeof(operand) <> 'array' or jsonb_array_length(operand) <= max_values) then
    return known;
  end if;

  if operator = '$text' then
    raise exception using
      errcode = 'PV003',
      message = 'filter operator $text stands below the top',
      hint    = 'it holds for the whole row: {"$text": "connection pool", "$or": [...]}';
  end if;
  if known is null then
    raise exception using
      errcode = 'PV003',
      message = format('unknown filter operator %s', left(operator, 80)),
      hint    = format('operators: %s $and $or $not',
                       (select string_agg(o.key, ' ' order by (o.value -> 'place')::int) from jsonb_each(pgvec.filter_operators()) as o));
  end if;
  if accessor = '@' then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s stands without a key', operator),
      hint    = format('say which key it is for: {"year": {%s: ...}}', to_json(operator));
  end if;
  if operand::text ~ (known ->> 'fits') then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s has %s values, more than %s', operator, jsonb_array_length(operand), max_values),
      hint    = 'mark the rows you mean in their metadata, and filter by that';
  end if;
  raise exception using
    errcode = 'PV003',
    message = format('filter operator %s takes %s, not %s', operator, known ->> 'takes', left(operand::text, 80)),
    hint    = format(known ->> 'hint', to_json(operator));
end
$$;
comment on function pgvec.filter_operator(text, text, jsonb) is
  'The entry of pgvec.filter_operators for an operator. Raises PV003 for an unknown one, for one without a key, for an operand '
  'of the wrong type, and a list of more than 1,000 values. How many patterns there may be: pgvec.check_patterns.';
revoke all on function pgvec.filter_operator(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.filter_operator(text, text, jsonb)', 'reader');
