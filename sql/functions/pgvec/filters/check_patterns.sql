-- pgvec.check_patterns -- PV003 for more patterns in a filter than a search can take with each row.
-- Of a long text a pattern with many wildcards takes as many steps as both are long together: 2,000 rows of 1,000 characters and one
-- of 1,000 characters a second.
create or replace function pgvec.check_patterns(filter jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_patterns   constant int := 50;
  most_characters constant int := 1000;
  patterns        text[];
begin
  if filter::text !~ pgvec.pattern_operators() then
    return;
  end if;
  patterns := array(
    select p ->> 'value'
      from jsonb_path_query(filter, 'strict $.** ? (@.type() == "object").keyvalue()') as p
     where pgvec.filter_operators() -> (p ->> 'key') ->> 'kind' = 'pattern');
  if cardinality(patterns) > most_patterns or length(array_to_string(patterns, '')) > most_characters then
    raise exception using
      errcode = 'PV003',
      message = format('the filter has %s patterns of %s characters together', cardinality(patterns), length(array_to_string(patterns, ''))),
      hint    = format('at most %s patterns of %s characters together; words of the text are found by {"$text": "..."}, and sooner', most_patterns, most_characters);
  end if;
end
$$;
comment on function pgvec.check_patterns(jsonb) is
  'Raises PV003 for a filter with more than 50 patterns ($like, $ilike), or patterns of more than 1,000 characters together.';
revoke all on function pgvec.check_patterns(jsonb) from public;
select pgvec.grant_execute('pgvec.check_patterns(jsonb)', 'reader');
