-- pgvec.tune -- finds the smallest ef_search, or probes, that reaches a recall on the collection's own rows, and makes it the
-- setting.
-- Sampled rows are the queries, through match_documents itself; each query's own row is excluded. The registry row is changed
-- on the way; nobody else sees that before the end.
create or replace function pgvec.tune(
    collection text,
    wanted_recall float8 default 0.98,
    queries int default 100,
    match_count int default 10,
    filter jsonb default '{}')
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8, chosen boolean)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(tune.collection);
  within   record := pgvec.filter_condition(target, filter);
  drawn    record;
  expected jsonb[] := '{}'::jsonb[];
  found    text[];
  started  timestamptz;
  times    float8[];
  hits     int;
  wanted   int;
  logging  text := coalesce(current_setting('pgvec.search_log', true), '');
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
  perform pgvec.note_index(target.name);
  perform set_config('pgvec.search_log', 'off', true);  -- not users' searches: do not log them

  execute format('select array_agg(q.id) as ids, array_agg(q.embedding) as embeddings
                    from (select d.id, d.embedding::extensions.vector as embedding from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit $1) as q',
                 coalesce(target.source, target.relation::text))
    into drawn
    using queries;
  for i in 1 .. coalesce(cardinality(drawn.ids), 0) loop
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, within.condition, null))
      into found
      using drawn.embeddings[i], within.bound, match_count + 1, drawn.ids[i];
    expected := expected || to_jsonb(found[:match_count]);
  end loop;

  for value in
    select v from unnest(case setting when 'ef_search' then '{10,20,30,40,60,80,100,150,200,300,400,600,800,1000}'::int[] else '{1,2,3,5,8,12,20,30,50,80,120,200,400,800,1600}' end) as v
  loop
    update pgvec.collections as c
       set settings = c.settings || jsonb_build_object(tune.setting, tune.value)
     where c.name = target.name;
    times := '{}';
    hits := 0;
    wanted := 0;
    for i in 1 .. cardinality(expected) loop
      started := clock_timestamp();
      found := array(select m.id from public.match_documents(drawn.embeddings[i], match_count + 1, filter, null::float8, target.name, null::uuid, null::text) as m);
      times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
      found := array_remove(found, drawn.ids[i]);
      hits := hits + (select count(*) from jsonb_array_elements_text(expected[i]) as e where e.value = any (found[:match_count]));
      wanted := wanted + coalesce(jsonb_array_length(expected[i]), 0);
    end loop;
    recall := hits / nullif(wanted, 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    chosen := coalesce(recall >= wanted_recall, true);
    return next;
    exit when chosen;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
end
$$;
comment on function pgvec.tune(text, float8, int, int, jsonb) is
  'Tries growing ef_search (hnsw) or probes (ivfflat) until match_documents reaches wanted_recall@match_count against exact scans, with sampled rows as queries, '
  'and leaves the last one tried as the setting of the collection. Returns each with its recall and latency in ms on the server. Raises PV001, PV003, PV004 without '
  'an index.';
revoke all on function pgvec.tune(text, float8, int, int, jsonb) from public;
