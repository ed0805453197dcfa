-- pgvec.operator_predicate -- one operator of a filter as a jsonpath predicate, as pgvec.filter_operators has it.
create or replace function pgvec.operator_predicate(accessor text, operator text, operand jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  known     constant jsonb := pgvec.filter_operator(accessor, operator, operand);
  predicate text;
begin
  if known ->> 'joined' <> '' then
    predicate := coalesce(
      (select string_agg(format(known ->> 'each', accessor, e.value), known ->> 'joined') from jsonb_array_elements(operand) as e),
      case known ->> 'joined' when ' || ' then '1 == 0' else '1 == 1' end);
    predicate := format(known ->> 'over_json', accessor, predicate);
  elsif known ->> 'kind' = 'pattern' then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s is no jsonpath', operator),
      hint    = 'searches compile it to LIKE: pgvec.metadata_condition';
  else
    predicate := format(known ->> 'over_json', accessor, case jsonb_typeof(operand) when 'array' then operand -> 0 else operand end, operand -> 1);
  end if;
  return format(case when known ->> 'negated' in ('always', operand::text) then '!exists($ ? (%s))' else '(%s)' end, predicate);
end
$$;
comment on function pgvec.operator_predicate(text, text, jsonb) is
  'The jsonpath predicate of an operator such as $gte with its operand, over what accessor names. '
  'Raises PV003 for an unknown operator, an operand that it cannot take, and patterns.';
revoke all on function pgvec.operator_predicate(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.operator_predicate(text, text, jsonb)', 'reader');
