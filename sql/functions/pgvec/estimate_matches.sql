-- pgvec.estimate_matches -- how many rows meet a condition, by the planner's statistics, and whether an index finds them.
-- Asking EXPLAIN costs 0.02 ms; a bounded count would read a good part of the table for a filter that many rows pass.
-- Volatile, since EXPLAIN is a utility statement, which stable functions may not run themselves.
create or replace function pgvec.estimate_matches(
    collection pgvec.collections, condition text, bound jsonb,
    out matches float8, out indexed boolean)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
declare
  plan text;
begin
  execute format('explain (format json) select from %s as d where d.embedding is not null and %s', collection.relation, condition)
    into plan
    using null::text, bound;
  -- those of the topmost node come first; reading it as JSON would take longer than making it
  matches := substring(plan from '"Plan Rows": (\d+)')::float8;
  indexed := position('"Index Name":' in plan) > 0;
end
$$;
comment on function pgvec.estimate_matches(pgvec.collections, text, jsonb) is
  'The planner''s estimate of the embedded rows that meet a condition of pgvec.filter_condition, and whether an index finds them.';
revoke all on function pgvec.estimate_matches(pgvec.collections, text, jsonb) from public;
select pgvec.grant_execute('pgvec.estimate_matches(pgvec.collections, text, jsonb)', 'reader');
