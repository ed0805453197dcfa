-- pgvec.compile_filter -- a filter as one containment and one jsonpath.
-- What is plain and holds for the whole row goes into the containment; the rest becomes a jsonpath predicate.
-- Both are data: they reach a query as parameters, and a GIN index with jsonb_path_ops serves them.
create or replace function pgvec.compile_filter(filter jsonb, out containment jsonb, out path jsonpath)
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted     jsonb := pgvec.parse_filter(filter);
  parts      jsonb[];
  part       jsonb;
  item       record;
  predicates text[];
begin
  if position('"$' in wanted::text) = 0 then
    containment := wanted;
    return;
  end if;

  containment := '{}';
  parts := array[wanted];
  while cardinality(parts) > 0 loop
    part := parts[1];
    parts := parts[2:];
    for item in
      select e.key, e.value
        from jsonb_each(part) as e
    loop
      if item.key = '$and' then
        perform pgvec.check_conditions('$and', item.value);
        parts := parts || array(select jsonb_array_elements(item.value));
      elsif item.key like '$%' or containment ? item.key then
        predicates := predicates || pgvec.filter_predicate('@', jsonb_build_object(item.key, item.value));
      elsif position('"$' in item.value::text) = 0 then
        containment := containment || jsonb_build_object(item.key, item.value);
      else
        predicates := predicates || pgvec.filter_predicate('@', jsonb_build_object(item.key, item.value));
      end if;
    end loop;
  end loop;

  if predicates is not null then
    path := format('strict $ ? (%s)', array_to_string(predicates, ' && '))::jsonpath;
  end if;
end
$$;
comment on function pgvec.compile_filter(jsonb) is
  'The filter of a search as a containment (metadata @> containment; {} for none) and a jsonpath (metadata @? path; null for none), both to hold. '
  'A plain object is containment; keys that begin with $ are operators: those of pgvec.filter_operators, $and, $or and $not. '
  'Patterns are no jsonpath; searches compile them to SQL (pgvec.metadata_condition). '
  'Comparisons are by JSON type and false between types; $ne, $nin and $not hold for rows without the key. '
  'Raises PV003 for a filter that has no meaning.';
revoke all on function pgvec.compile_filter(jsonb) from public;
select pgvec.grant_execute('pgvec.compile_filter(jsonb)', 'reader');
