-- pgvec.verify_statistics -- whether the statistics of a collection are stale: word counts of BM25, the planner's statistics, dead rows.
-- The server counts changes and dead rows where they happen, on the primary: a replica knows of none.
create or replace function pgvec.verify_statistics(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  much   constant float8 := 0.2;   -- of the rows: autovacuum's own threshold
  few    constant bigint := 1000;  -- rows; so few spoil no plan
  target pgvec.collections := pgvec.collection(verify_statistics.collection);
  words  record;
  rows   bigint;
  told   record;
begin
  select s.documents, s.uncounted, s.due into words from pgvec.keyword_statistics(target.name) as s;
  execute format('select count(*) from %s', target.text_table) into rows;
  return next pgvec.verdict(
    target.name, 'keyword statistics',
    array_remove(array[
      case when words.due then format('keyword statistics %s %% behind', round(100.0 * words.uncounted / nullif(words.documents + words.uncounted, 0)))
           when abs(words.documents - rows) > words.uncounted then format('keyword statistics count %s rows, there are %s', words.documents, rows) end], null),
    format('keyword statistics %s %% behind', coalesce(round(100.0 * words.uncounted / nullif(words.documents + words.uncounted, 0)), 0)),
    format('pgvec-admin collection refresh %s', target.name), format('select * from pgvec.refresh_statistics(%L);', target.name), severity => 'warn');

  select sum(s.n_live_tup) as live, sum(s.n_dead_tup) as dead, sum(s.n_mod_since_analyze) as changed,
         bool_or(r.reltuples < 0) as never, max(greatest(s.last_analyze, s.last_autoanalyze)) as analyzed, max(greatest(s.last_vacuum, s.last_autovacuum)) as vacuumed,
         bool_or(s.n_dead_tup > few and s.n_dead_tup > much * (s.n_live_tup + s.n_dead_tup)) as full_of_dead
    into told
    from pgvec.partitions(target.base) as p
    join pg_catalog.pg_class as r on r.oid = p
    left join pg_catalog.pg_stat_all_tables as s on s.relid = r.oid;
  if pg_is_in_recovery() then
    return query
      select (pgvec.verdict(target.name, c.name, array['not known on a replica, which counts no changes'], '',
                            'verify on the primary, where it is counted', severity => 'warn')).*
        from (values ('analyze'), ('vacuum')) as c (name);
    return;
  end if;
  return next pgvec.verdict(
    target.name, 'analyze',
    array_remove(array[
      case when rows > few and told.never then 'never analyzed'
           when rows > few and told.changed > much * rows then format('%s rows changed since it was analyzed', told.changed) end], null),
    format('analyzed %s, %s rows changed since', coalesce(pgvec.told_age(told.analyzed), 'never'), coalesce(told.changed, 0)),
    'analyze it: the planner''s estimates choose the route of a filtered search', format('analyze %s;', target.base), severity => 'warn');
  return next pgvec.verdict(
    target.name, 'vacuum',
    array_remove(array[case when told.full_of_dead then format('%s dead rows beside %s', told.dead, told.live) end], null),
    format('vacuumed %s, %s dead rows', coalesce(pgvec.told_age(told.vacuumed), 'never'), coalesce(told.dead, 0)),
    'vacuum it: index scans pass over dead rows', format('vacuum %s;', target.base), severity => 'warn');
end
$$;
comment on function pgvec.verify_statistics(text) is
  'Checks of a collection: keyword statistics (how far they lag behind), analyze (rows changed since) and vacuum (dead rows). Raises PV001.';
revoke all on function pgvec.verify_statistics(text) from public;
