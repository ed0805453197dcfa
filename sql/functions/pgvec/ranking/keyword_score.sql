-- pgvec.keyword_score -- the SQL expression for what a row d scores by a ranking (pgvec.rankings), or PV004.
create or replace function pgvec.keyword_score(ranking text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  expression constant text := pgvec.rankings() -> ranking ->> 'score';
begin
  if expression is null then
    perform pgvec.check_choice('ranking', ranking, array(select jsonb_object_keys(pgvec.rankings())));
  end if;
  return expression;
end
$$;
comment on function pgvec.keyword_score(text) is
  'The expression for the score of a row d by a ranking of pgvec.rankings. It reads the weights as $4 and the words as $5. Raises PV004 for another.';
revoke all on function pgvec.keyword_score(text) from public;
select pgvec.grant_execute('pgvec.keyword_score(text)', 'reader');
