-- pgvec.pattern_operators -- a regular expression for the operators that take a pattern, where they stand in the text of a filter.
-- Without arguments and immutable, so it costs a search nothing: see pgvec.filter_operators.
create or replace function pgvec.pattern_operators()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format('"\$(%s)"', string_agg(substr(o.key, 2), '|' order by o.key))
    from jsonb_each(pgvec.filter_operators()) as o
   where o.value ->> 'kind' = 'pattern'
$$;
comment on function pgvec.pattern_operators() is
  'A regular expression that finds $like and $ilike, and what else takes a pattern, in the text of a filter; it may find a string of that name too.';
revoke all on function pgvec.pattern_operators() from public;
select pgvec.grant_execute('pgvec.pattern_operators()', 'reader');
