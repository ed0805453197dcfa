-- pgvec.tune -- finds the smallest ef_search, or probes, that reaches a recall on the collection's own rows, and makes it the
-- setting.
-- Half of the time is for the exact scans that tell the true neighbours: a million rows of 384 dimensions take 0.4 seconds
-- each. The search begins at the present setting, goes up by growing steps until one suffices, and halves the interval then.
-- Where none does, the last steps mostly cost much and add next to nothing: of those within 0.005 of the best the smallest is kept.
drop function if exists pgvec.tune(text, float8, int, int, jsonb);

create or replace function pgvec.tune(
    collection text,
    wanted_recall float8 default 0.98,
    queries int default 100,
    match_count int default 10,
    filter jsonb default '{}',
    seconds float8 default 60,
    at_least int default null)
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8, chosen boolean)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   constant pgvec.collections := pgvec.collection(tune.collection);
  until    timestamptz;
  steps    int[];
  sampled  record;
  trial    record;
  trials   jsonb := '{}'::jsonb;   -- by value
  best     int;
  failing  int := 0;        -- the greatest step that did not reach the recall, and the smallest that did
  reaching int;
  step     int;
  stride   int := 2;
begin
  setting := (select case i.method when 'hnsw' then 'ef_search' else 'probes' end from pgvec.index_kind(target, target.distance) as i where i.kind is not null);
  if setting is null then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has no vector index to tune', target.name),
      hint    = 'build one first: pgvec-admin index create';
  end if;
  if wanted_recall is null or wanted_recall not between 0 and 1 then
    raise exception using
      errcode = 'PV004',
      message = format('wanted_recall cannot be %s', coalesce(wanted_recall::text, 'null')),
      hint    = 'a share between 0 and 1, for example 0.98';
  end if;
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 999);  -- the query's own row is found as well
  if at_least is not null then
    perform pgvec.check_count('at_least', at_least, 1, case setting when 'ef_search' then 1000 else 32768 end);
  end if;
  if seconds is null or seconds not between 0 and 86400 then
    raise exception using
      errcode = 'PV004',
      message = format('seconds cannot be %s', coalesce(seconds::text, 'null')),
      hint    = 'at most a day, for example 60';
  end if;
  until := clock_timestamp() + make_interval(secs => seconds);
  sampled := pgvec.sample_queries(target.name, queries, match_count, filter, until - make_interval(secs => seconds / 2));

  step := coalesce(target.settings ->> setting, target.settings ->> 'default_' || setting, case setting when 'ef_search' then '40' else '10' end)::int;
  steps := array(
    select distinct s
      from unnest(case setting when 'ef_search' then '{10,20,30,40,60,80,100,150,200,300,400,600,800,1000}'::int[] else '{1,2,3,5,8,12,20,30,50,80,120,200,400,800,1600}' end
                  || at_least) as s
     where s >= coalesce(at_least, 1)
     order by s);
  reaching := cardinality(steps) + 1;
  step := coalesce((select min(i) from generate_subscripts(steps, 1) as i where steps[i] >= step), cardinality(steps));
  perform pgvec.measure_recall('{}'::jsonb, sampled.ids, sampled.requests, sampled.expected, clock_timestamp() + make_interval(secs => seconds / 10));  -- reads the index into memory
  loop
    trial := pgvec.measure_recall(jsonb_build_object(setting, steps[step]), sampled.ids, sampled.requests, sampled.expected, until);
    trials := trials || jsonb_build_object(steps[step], to_jsonb(trial));
    if coalesce(trial.recall >= wanted_recall, true) then
      reaching := step;
    else
      failing := step;
    end if;
    exit when failing + 1 = reaching or clock_timestamp() > until;
    step := case when reaching > cardinality(steps) then least(cardinality(steps), failing + stride) else (failing + reaching) / 2 end;
    stride := 2 * stride;
  end loop;

  best := coalesce(steps[reaching],
                   (select min(t.key::int) from jsonb_each(trials) as t
                     where (t.value ->> 'recall')::float8 >= (select max((o.value ->> 'recall')::float8) from jsonb_each(trials) as o) - 0.005));
  perform pgvec.note_index(target.name);  -- not before: its lock on the registry row would be held all the time
  update pgvec.collections as c
     set settings = c.settings || jsonb_build_object(
           setting, best,
           'tuned', jsonb_strip_nulls(jsonb_build_object(
             'rows', coalesce(round(pgvec.searched_rows(target)), 0), setting, best, 'recall', round((trials -> best::text ->> 'recall')::numeric, 4), 'at_least', at_least)))
   where c.name = target.name;
  return query
    select tune.setting, t.key::int, (t.value ->> 'recall')::float8, (t.value ->> 'p50_ms')::float8, (t.value ->> 'p95_ms')::float8,
           t.key::int = best
      from jsonb_each(trials) as t
     order by t.key::int = best, t.key::int;
end
$$;
comment on function pgvec.tune(text, float8, int, int, jsonb, float8, int) is
  'Finds the smallest ef_search (hnsw) or probes (ivfflat), not below at_least, with which searches reach wanted_recall@match_count against exact scans, with sampled '
  'rows as queries, as many as the seconds allow; where none does, the smallest that is within 0.005 of the best. It is chosen: it becomes the setting of the collection, '
  'and the setting tuned tells for how many rows. Returns the values tried, the chosen one last, with recall and latency in ms on the server. '
  'Raises PV001, PV003, PV004 without an index, and PV006.';
revoke all on function pgvec.tune(text, float8, int, int, jsonb, float8, int) from public;
