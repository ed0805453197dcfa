-- pgvec.operator_predicate -- one operator of a filter as a jsonpath predicate.
create or replace function pgvec.operator_predicate(accessor text, operator text, operand jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.check_operand(accessor, operator, operand);
  case operator
    when '$eq' then
      return format('(%s == %s)', accessor, operand);
    when '$ne' then
      return format('!exists($ ? (%s == %s))', accessor, operand);
    when '$gt', '$gte', '$lt', '$lte' then
      return format('(%s %s %s)', accessor,
                    case operator when '$gt' then '>' when '$gte' then '>=' when '$lt' then '<' else '<=' end,
                    operand);
    when '$between' then
      return format('(%1$s >= %2$s && %1$s <= %3$s)', accessor, operand -> 0, operand -> 1);
    when '$in', '$nin' then
      return format(
        '%s(%s))',
        case operator when '$in' then '(' else '!exists($ ? ' end,
        coalesce((select string_agg(format('%s == %s', accessor, e.value), ' || ') from jsonb_array_elements(operand) as e), '1 == 0'));
    when '$exists' then
      return format('%sexists($ ? (exists(%s)))', case when operand = 'true' then '' else '!' end, accessor);
    when '$like', '$ilike' then
      raise exception using
        errcode = 'PV003',
        message = format('filter operator %s is no jsonpath', operator),
        hint    = 'searches compile it to LIKE: pgvec.metadata_condition';
    when '$contains' then
      return pgvec.contained_predicate(accessor, jsonb_build_array(operand));
    when '$containsAll' then
      return pgvec.contained_predicate(accessor, operand);
    when '$containsAny' then
      return format(
        'exists(%s[*] ? (%s))', accessor,
        coalesce((select string_agg(format('@ == %s', e.value), ' || ') from jsonb_array_elements(operand) as e), '1 == 0'));
  end case;
end
$$;
comment on function pgvec.operator_predicate(text, text, jsonb) is
  'The jsonpath predicate of an operator such as $gte with its operand, over what accessor names. '
  'Raises PV003 for an unknown operator, an operand that it cannot take, and patterns.';
revoke all on function pgvec.operator_predicate(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.operator_predicate(text, text, jsonb)', 'reader');
