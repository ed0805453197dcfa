-- pgvec.keep_recall -- tunes a collection where that is due: after a build, and when its rows have doubled since it was tuned.
-- It aims at half of the misses that are allowed, since other rows than the sampled ones are searched for, and never goes below
-- what the user has set, nor below the default: a setting that is not the tuned one is the user's, and stays the least.
-- How well the 400 nearest rows are found says how far filtered searches can trust the graph (pgvec.wide_steps): fewer may all be of one island. Where they are
-- found, the smallest ef_search that finds them says how deep such a search has to look.
create or replace function pgvec.keep_recall(collection text, seconds float8 default 20, wanted_recall float8 default 0.98, only_due boolean default true)
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8, reached boolean, hint text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   constant pgvec.collections := pgvec.collection(keep_recall.collection);
  aim      constant float8 := case when wanted_recall between 0 and 1 then wanted_recall + (1 - wanted_recall) / 2 else wanted_recall end;
  serving  record;
  searched boolean;
  own      int;
  plan     record;
  built    record;
  sampled  record;
  look     int;      -- an ef_search at which the 400 nearest rows are asked for
  found    float8;   -- their recall
  enough   float8;
  deep     jsonb;
begin
  select i.* into serving from pgvec.index_kind(target, target.distance) as i;
  if serving.kind is null or only_due and not pgvec.tuning_is_due(target) or not pg_try_advisory_xact_lock(hashtextextended('pgvec tunes ' || target.name, 0)) then
    return;
  end if;
  execute format('select exists (select from %s as d where d.embedding is not null)', coalesce(target.source, target.relation::text)) into searched;
  if not searched then
    return;
  end if;
  setting := case serving.method when 'hnsw' then 'ef_search' else 'probes' end;
  own := case when target.settings -> setting = target.settings #> array['tuned', setting] then target.settings #>> '{tuned,at_least}' else target.settings ->> setting end::int;
  own := greatest(own, (target.settings ->> 'default_' || setting)::int, case setting when 'ef_search' then 40 else 10 end);
  select t.value, t.recall, t.p50_ms, t.p95_ms into value, recall, p50_ms, p95_ms
    from pgvec.tune(target.name, aim, 1000, 10, '{}', seconds, own) as t
   where t.chosen;
  if setting = 'ef_search' then
    sampled := pgvec.sample_queries(target.name, 40, 400, '{}', clock_timestamp() + make_interval(secs => seconds / 10));
    foreach look in array array[1000, 400, 500, 650, 800] loop
      select m.recall into found
        from pgvec.measure_recall(jsonb_build_object('ef_search', look), sampled.ids, sampled.requests, sampled.expected, clock_timestamp() + make_interval(secs => seconds / 10)) as m;
      if look = 1000 then
        deep := jsonb_build_object('deep_recall', found);
        exit when found is null or found < 0.99;
        enough := (0.99 + found) / 2;
      elsif found >= enough then
        exit;
      end if;
    end loop;
    update pgvec.collections as c
       set settings = jsonb_set(c.settings, '{tuned}', c.settings -> 'tuned' || jsonb_strip_nulls(deep)
                                                       || case when found >= 0.99 then jsonb_build_object('deep_ef_search', look) else '{}' end)
     where c.name = target.name
       and c.settings ? 'tuned';
  end if;
  reached := coalesce(recall >= wanted_recall, true);
  if not reached and setting = 'ef_search' then
    select p.* into plan from pgvec.graph_plan(target.name, seconds / 2) as p;
    select coalesce(max(substring(v.definition from '\mm=''?(\d+)')::int), 16) as m, coalesce(max(substring(v.definition from 'ef_construction=''?(\d+)')::int), 64) as ef_construction
      into built
      from pgvec.vector_indexes(target.name) as v
     where v.method = 'hnsw' and v.valid;
    if plan.m <= built.m and plan.ef_construction <= built.ef_construction then  -- these are the ones that did not suffice
      plan.m := least(100, ceil(1.5 * built.m));
      plan.ef_construction := least(1000, greatest(2 * built.ef_construction, 2 * plan.m));
    end if;
    hint := format('drop the index and build it with --m %s --ef-construction %s', greatest(plan.m, built.m), greatest(plan.ef_construction, built.ef_construction));
  elsif not reached then
    hint := 'build an index with more lists, or hnsw';
  end if;
  return next;
end
$$;
comment on function pgvec.keep_recall(text, float8, float8, boolean) is
  'pgvec.tune for a collection with a vector index whose rows have doubled since it was tuned (only_due => false: for any): returns the setting with its recall@10 and '
  'latency in ms, whether the recall is reached, and what to do where it is not. No row where nothing is due, where there is no vector, or where another session is at it. '
  'Raises PV001.';
revoke all on function pgvec.keep_recall(text, float8, float8, boolean) from public;
