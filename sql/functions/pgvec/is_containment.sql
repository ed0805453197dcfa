-- pgvec.is_containment -- whether a filter is a plain object, without operators and within the limits of pgvec.parse_filter.
-- Most filters are, and need no compiling.
create or replace function pgvec.is_containment(filter jsonb)
  returns boolean
  language plpgsql immutable parallel safe
  security invoker set search_path = ''
as $$
begin
  return jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0
     and length(filter::text) <= 65536
     and not filter @? 'strict $.**{13}';
end
$$;
comment on function pgvec.is_containment(jsonb) is
  'Whether a filter is a plain object: no operator, at most 65,536 characters, at most 12 levels. Then rows match whose metadata contains it.';
revoke all on function pgvec.is_containment(jsonb) from public;
select pgvec.grant_execute('pgvec.is_containment(jsonb)', 'reader');
