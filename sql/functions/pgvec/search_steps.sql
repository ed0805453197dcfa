-- pgvec.search_steps -- how a search goes about it: what to try, in which order, and when a step has found enough.
-- Without a filter the index is walked until the limit is filled. With one there are three ways, and each is bad at
-- something (100,000 rows of 384 dimensions in clusters of 100, the best 10 wanted):
--   exact scan of the matches   always right; 1.6 microseconds a row by index, 0.4 a row of the table without
--   one look at the index       1 ms; of its 100 nearest rows some match: right where 12 or more do (recall 1.00), wrong
--                               where 10 do (0.96), and fewer than 10 rows where the filter is narrow; of the 200 nearest
--                               24 have to match, since the index misses more of the farther rows
--   walking on iteratively      2 to 50 ms from ef_search 100; recall 0.97 where 10 % match, 0.86 at 5 %, 0.83 at 1 %, and 0.67 where
--                               10 % match and all lie far from the query
-- Without a filter ef_search 40 is the smallest with a recall of 0.98 on these rows (20: 0.946, 40: 0.983, 60: 0.997).
-- So few matches are scanned at once; more are first looked for in the index, which pays wherever matches lie near, and
-- scanned if it finds too few of them; and only where that would be too many rows is the index walked on.
drop function if exists pgvec.search_steps(pgvec.collections, text, int, text, jsonb);

create or replace function pgvec.search_steps(collection pgvec.collections, distance text, wanted int, condition text, bound jsonb)
  returns pgvec.search_step[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
declare
  steps       pgvec.search_step[] := '{}';
  step        pgvec.search_step;
  spare       constant float8 := 1.2;   -- rows found in one look, over rows wanted
  depth       constant int := 10;       -- rows looked at, over rows wanted, within which the index can be trusted
  look_costs  constant float8 := 30;    -- rows of an exact scan that take three times as long as a look of ef_search 1
  detour      constant float8 := 8;     -- rows walked over rows needed, where matches are not far
  most_ef     constant int := 1000;     -- pgvector's limit
  exact_rows  float8;
  found       record;
  to_scan     float8;
begin
  if collection.distance = distance and to_regclass(collection.search_index) = collection.search_index_oid then
    step.kind := collection.search_kind;
  else
    step.kind := pgvec.index_kind(collection, distance);
  end if;
  if step.kind is not null then
    step.read_rows := pgvec.candidates(collection, step.kind, wanted);
    step.ef_search := greatest(1, least(most_ef, greatest(step.read_rows, coalesce((collection.settings ->> 'ef_search')::int, 40))));
    step.iterative_scan := 'relaxed_order';
    step.scan_tuples := 20000;
    step.enough := wanted;
    step.after_tie := false;

    if condition = '' then
      steps := steps || step;
      -- a tie at the limit: reading tenfold closes all but a flood of duplicates
      step.after_tie := true;
      step.read_rows := 10 * step.read_rows;
      steps := steps || step;
    else
      found := pgvec.estimate_matches(collection, condition, bound);
      step.estimate := found.matches;
      to_scan := case when found.indexed then step.estimate else step.estimate / found.fraction / 4 end;
      exact_rows := coalesce((collection.settings ->> 'exact_rows')::float8, least(25000, 1e7 / collection.dimensions));

      step.ef_search := least(most_ef, greatest(step.ef_search, 10 * depth, least(depth * step.read_rows, 1.5 * spare * step.read_rows / found.fraction)));
      step.read_rows := ceil(spare * step.read_rows);
      step.enough := step.read_rows;
      step.iterative_scan := 'off';
      if to_scan > look_costs * step.ef_search then
        steps := steps || step;
        -- twice as far once more, where that promises twice as many
        if 2 * step.ef_search <= most_ef and step.ef_search * found.fraction >= step.enough then
          step.ef_search := 2 * step.ef_search;
          step.read_rows := 2 * step.read_rows;
          step.enough := step.read_rows;
          steps := steps || step;
        end if;
      end if;

      if to_scan > exact_rows then
        step.read_rows := pgvec.candidates(collection, step.kind, wanted);
        step.enough := wanted;
        step.iterative_scan := 'relaxed_order';
        step.ef_search := least(most_ef, greatest(step.ef_search, 2 * step.read_rows / found.fraction));
        step.scan_tuples := least(1000000, greatest(2 * step.ef_search, detour * step.read_rows / found.fraction));
        steps := steps || step;
        if to_scan > 10 * exact_rows then
          step.scan_tuples := 10 * step.scan_tuples;
          steps := steps || step;
        end if;
      end if;
    end if;
  end if;

  step.kind := null;
  step.read_rows := wanted;
  step.enough := 0;
  step.after_tie := false;
  return steps || step;
end
$$;
comment on function pgvec.search_steps(pgvec.collections, text, int, text, jsonb) is
  'The steps of a search, each for when those before found too few rows, the last an exact scan (see type pgvec.search_step). '
  'Settings of the collection: ef_search (default 40), oversample (of pgvec.candidates) and exact_rows, up to which matches are '
  'scanned rather than the index walked on (25,000, less above 400 dimensions).';
revoke all on function pgvec.search_steps(pgvec.collections, text, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.search_steps(pgvec.collections, text, int, text, jsonb)', 'reader');
