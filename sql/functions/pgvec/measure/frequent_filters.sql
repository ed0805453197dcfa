-- pgvec.frequent_filters -- the filters that searches of a collection were asked with, for which an index of their own would pay.
-- From the log, where texts are logged. A filter that few rows match is quick as it is: these are scanned (pgvec.search_steps).
create or replace function pgvec.frequent_filters(collection text, since interval default '30 days')
  returns table (filter jsonb, searches bigint, p50_ms float8, p95_ms float8, matches bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  least_logged constant int := 20;
  most_scanned constant int := 3000;
  most_told    constant int := 20;
  target  constant pgvec.collections := pgvec.collection(frequent_filters.collection);
  indexed constant jsonb := coalesce(pgvec.indexed_filters(target, target.distance), '[]');
  item    record;
  plan    jsonb;
begin
  if pg_is_in_recovery() or target.access <> 'open' or target.base <> target.relation then
    return;
  end if;
  for item in
    select l.query_filter, round(sum(1 / l.sample))::bigint as number,
           percentile_cont(0.5) within group (order by l.ms) as p50, percentile_cont(0.95) within group (order by l.ms) as p95
      from pgvec.search_log as l
     where l.collection = target.name
       and l.searched_at > now() - since
       and l.function <> 'keyword_search'
       and strpos(l.query_filter::text, '"$') = 0  -- no operators
       and not indexed ? (l.query_filter::text)
     group by l.query_filter
    having count(*) >= least_logged
     order by sum(l.ms / l.sample) desc
     limit most_told
  loop
    continue when (pgvec.filter_condition(target, item.query_filter)).condition is distinct from 'd.metadata @> ($2 -> 0)';
    execute format('explain (format json) select from %s as d where d.embedding is not null and d.metadata @> $1', target.base)
      into plan
      using item.query_filter;
    matches := (plan #>> '{0,Plan,Plan Rows}')::bigint;
    if matches > most_scanned then
      filter := item.query_filter;
      searches := item.number;
      p50_ms := item.p50;
      p95_ms := item.p95;
      return next;
    end if;
  end loop;
end
$$;
comment on function pgvec.frequent_filters(text, interval) is
  'Filters of the logged searches of a collection by vector since a time: how many searches (estimated from the sample), milliseconds of them, and the rows that match '
  '(the planner''s estimate); the ones that took most time first, at most 20. Only those that were logged 20 times, match more than 3,000 rows and have no index of '
  'their own: pgvec.index_definition(..., filter => ...) builds one. None on a standby, which has no log. Raises PV001.';
revoke all on function pgvec.frequent_filters(text, interval) from public;
