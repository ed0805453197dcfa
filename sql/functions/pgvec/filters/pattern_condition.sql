-- pgvec.pattern_condition -- a part of a filter that has $like or $ilike in it, as an SQL condition.
-- jsonpath knows only regular expressions, of which the server keeps 32: a filter with one more compiles every pattern again for
-- every row (33 long ones over 2,000 rows took 163 seconds). LIKE compiles nothing. So what stands around a pattern, $and, $or,
-- $not and keys, becomes SQL as well; what has no pattern stays jsonpath. Which operators take one, and their SQL: pgvec.filter_operators.
create or replace function pgvec.pattern_condition(
    root text, value_of text, accessor text, conditions jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts  text[] := '{}'::text[];
  nested text[];
  part   text;
  known  jsonb;
  item   record;
  branch jsonb;
begin
  for item in
    select e.key, e.value, jsonb_typeof(e.value) as kind, jsonb_build_object(e.key, e.value)::text ~ pgvec.pattern_operators() as has_pattern
      from jsonb_each(conditions) as e
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      nested := '{}';
      for branch in
        select jsonb_array_elements(item.value)
      loop
        select p.bound, p.condition into bound, part from pgvec.pattern_condition(root, value_of, accessor, branch, bound) as p;
        nested := nested || part;
      end loop;
      part := array_to_string(nested, case item.key when '$and' then ' and ' else ' or ' end);
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      select p.bound, format('(%s) is not true', p.condition) into bound, part from pgvec.pattern_condition(root, value_of, accessor, item.value, bound) as p;
    elsif pgvec.filter_operators() -> item.key ->> 'kind' = 'pattern' then
      known := pgvec.filter_operator(accessor, item.key, item.value);
      part := format(known ->> 'over_json', value_of, format('($2 ->> %s)', jsonb_array_length(bound)));
      part := format(case when known ->> 'negated' in ('always', item.value::text) then '(%s) is not true' else '%s' end, part);
      bound := bound || jsonb_build_array(item.value);
    elsif item.has_pattern and item.kind = 'object' and item.key not like '$%' then
      part := format('%s -> ($2 ->> %s)', value_of, jsonb_array_length(bound));
      bound := bound || jsonb_build_array(item.key);
      select p.bound, p.condition into bound, part from pgvec.pattern_condition(root, part, accessor || '.' || to_json(item.key), item.value, bound) as p;
    else
      part := format('%s @? ($2 ->> %s)::jsonpath', root, jsonb_array_length(bound));
      bound := bound || jsonb_build_array(format('strict $ ? (%s)', pgvec.filter_predicate(accessor, jsonb_build_object(item.key, item.value))));
    end if;
    parts := parts || format('(%s)', part);
  end loop;
  condition := coalesce(nullif(array_to_string(parts, ' and '), ''), 'true');
end
$$;
comment on function pgvec.pattern_condition(text, text, text, jsonb, jsonb) is
  'The condition for a part of a filter about value_of, which stands at accessor (a jsonpath) of root, both SQL expressions of type jsonb, '
  'and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.pattern_condition(text, text, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.pattern_condition(text, text, text, jsonb, jsonb)', 'reader');
