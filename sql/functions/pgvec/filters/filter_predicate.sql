-- pgvec.filter_predicate -- a condition of a filter as a jsonpath predicate over what accessor names.
-- In strict mode a missing key, or a comparison between types, makes a predicate unknown, which an enclosing filter
-- takes for false. Negation must not: it asks whether the row passes such a filter of its own.
create or replace function pgvec.filter_predicate(accessor text, condition jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item  record;
  parts text[] := '{}'::text[];
begin
  for item in
    select e.key, e.value, jsonb_typeof(e.value) as kind
      from jsonb_each(condition) as e
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      parts := parts || format(
        '(%s)',
        (select string_agg(pgvec.filter_predicate(accessor, c.value), case item.key when '$and' then ' && ' else ' || ' end)
           from jsonb_array_elements(item.value) as c));
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      parts := parts || format('!exists($ ? (%s))', pgvec.filter_predicate(accessor, item.value));
    elsif item.key like '$%' then
      parts := parts || pgvec.operator_predicate(accessor, item.key, item.value);
    elsif item.kind = 'object' and position('"$' in item.value::text) > 0 then
      parts := parts || pgvec.filter_predicate(accessor || '.' || to_json(item.key), item.value);
    else
      parts := parts || pgvec.contained_predicate(accessor || '.' || to_json(item.key), item.value);
    end if;
  end loop;

  if cardinality(parts) = 0 then
    return '(1 == 1)';
  end if;
  return format('(%s)', array_to_string(parts, ' && '));
end
$$;
comment on function pgvec.filter_predicate(text, jsonb) is
  'The jsonpath predicate, in parentheses, of a condition such as {"$gte": 2020} or {"lang": "en"} over accessor, which is @ or a path below it. '
  'Keys and values become quoted jsonpath literals. Raises PV003.';
revoke all on function pgvec.filter_predicate(text, jsonb) from public;
select pgvec.grant_execute('pgvec.filter_predicate(text, jsonb)', 'reader');
