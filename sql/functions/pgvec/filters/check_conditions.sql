-- pgvec.check_conditions -- PV003 unless the operand of $and, $or or $not holds what it has to.
create or replace function pgvec.check_conditions(operator text, operand jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if operator = '$not' then
    if jsonb_typeof(operand) <> 'object' or operand = '{}' then
      raise exception using
        errcode = 'PV003',
        message = format('filter operator $not takes an object with a condition, not %s', left(operand::text, 80)),
        hint    = 'for example {"$not": {"lang": "en"}} or {"year": {"$not": {"$gt": 2020}}}';
    end if;
  elsif jsonb_typeof(operand) <> 'array' or operand = '[]' or jsonb_path_exists(operand, 'strict $[*] ? (@.type() != "object")')
     or '{}' in (select e.value from jsonb_array_elements(operand) as e) then  -- {"$or": [{}]} would delete all there is
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s takes a list of objects, at least one and none empty, not %s', operator, left(operand::text, 80)),
      hint    = format('for example {%s: [{"lang": "en"}, {"year": {"$gte": 2020}}]}', to_json(operator));
  end if;
end
$$;
comment on function pgvec.check_conditions(text, jsonb) is
  'Raises PV003 unless the operand of $and and $or is a list of objects with conditions and that of $not such an object.';
revoke all on function pgvec.check_conditions(text, jsonb) from public;
select pgvec.grant_execute('pgvec.check_conditions(text, jsonb)', 'reader');
