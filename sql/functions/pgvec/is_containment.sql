-- pgvec.is_containment -- whether a filter is a plain object, without operators and within the limits of pgvec.parse_filter.
-- Most filters are, and need no compiling.
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.is_containment(filter jsonb)
  returns boolean
  language sql immutable parallel safe
  security invoker
as $$
  select pg_catalog.jsonb_typeof(filter) operator(pg_catalog.=) 'object'
     and pg_catalog.strpos(filter::text, '"$') operator(pg_catalog.=) 0
     and pg_catalog.length(filter::text) operator(pg_catalog.<=) 65536
     and not filter operator(pg_catalog.@?) 'strict $.**{13}'
$$;
comment on function pgvec.is_containment(jsonb) is
  'Whether a filter is a plain object: no operator, at most 65,536 characters, at most 12 levels. Then rows match whose metadata contains it.';
revoke all on function pgvec.is_containment(jsonb) from public;
select pgvec.grant_execute('pgvec.is_containment(jsonb)', 'reader');
