-- pgvec.metadata_condition -- a filter over a jsonb expression as an SQL condition: its containment and its jsonpath, which a
-- GIN index serves, and patterns (pgvec.pattern_condition).
create or replace function pgvec.metadata_condition(root text, filter jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  plain    jsonb := filter;
  parts    text[] := '{}'::text[];
  part     text;
  compiled record;
  item     record;
begin
  if filter::text ~ pgvec.pattern_operators() then
    for item in
      select e.key, e.value from jsonb_each(filter) as e where jsonb_build_object(e.key, e.value)::text ~ pgvec.pattern_operators()
    loop
      plain := plain - item.key;
      select p.bound, p.condition into bound, part
        from pgvec.pattern_condition(root, root, '@', jsonb_build_object(item.key, item.value), bound) as p;
      parts := parts || part;
    end loop;
  end if;

  compiled := pgvec.compile_filter(plain);
  -- an empty containment is left out: the planner takes it for one row in ten thousand and goes astray
  if compiled.path is not null then
    parts := format('%s @? ($2 ->> %s)::jsonpath', root, jsonb_array_length(bound)) || parts;
    bound := bound || jsonb_build_array(compiled.path::text);
  end if;
  if compiled.containment <> '{}' then
    parts := format('%s @> ($2 -> %s)', root, jsonb_array_length(bound)) || parts;
    bound := bound || jsonb_build_array(compiled.containment);
  end if;
  condition := array_to_string(parts, ' and ');
end
$$;
comment on function pgvec.metadata_condition(text, jsonb, jsonb) is
  'The condition for a filter on root, an SQL expression of type jsonb, empty for none, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.metadata_condition(text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.metadata_condition(text, jsonb, jsonb)', 'reader');
