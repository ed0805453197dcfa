-- pgvec.contained_predicate -- jsonb containment (@>) of a value as a jsonpath predicate.
-- For plain conditions that cannot be part of the one containment of a filter, because they stand under $or or $not.
create or replace function pgvec.contained_predicate(accessor text, value jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts text[];
begin
  case jsonb_typeof(value)
    when 'object' then
      if exists (select from jsonb_object_keys(value) as k where k like '$%') then
        raise exception using
          errcode = 'PV003',
          message = format('a filter operator stands within a list: %s', left(value::text, 80)),
          hint    = 'operators stand behind a key, as in {"tags": {"$containsAny": ["sql", "search"]}}; a list is matched by containment';
      end if;
      parts := array(select pgvec.contained_predicate(accessor || '.' || to_json(e.key), e.value) from jsonb_each(value) as e);
      return format('(%s)', array_to_string(format('%s.type() == "object"', accessor) || parts, ' && '));
    when 'array' then
      parts := array(select format('exists(%s[*] ? (%s))', accessor, pgvec.contained_predicate('@', e.value)) from jsonb_array_elements(value) as e);
      return format('(%s)', array_to_string(format('%s.type() == "array"', accessor) || parts, ' && '));
    else
      return format('(%s == %s)', accessor, value);
  end case;
end
$$;
comment on function pgvec.contained_predicate(text, jsonb) is
  'The jsonpath predicate, in parentheses, that holds where what accessor names contains value as @> has it. Raises PV003 for an operator.';
revoke all on function pgvec.contained_predicate(text, jsonb) from public;
select pgvec.grant_execute('pgvec.contained_predicate(text, jsonb)', 'reader');
