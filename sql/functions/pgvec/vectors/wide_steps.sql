-- pgvec.wide_steps -- how a search goes about it with a filter that more than a few rows pass.
-- There are three ways, and each is bad at something (100,000 rows of 384 dimensions in clusters of 100, the best 10 wanted):
--   exact scan of the matches   always right; 1.6 microseconds a row by index, 0.4 a row of the table without
--   one look at the index       1 ms; of its 100 nearest rows some match: right where 12 or more do (recall 1.00), wrong
--                               where 10 do (0.96), and fewer than 10 rows where the filter is narrow; of the 200 nearest
--                               24 have to match, since the index misses more of the farther rows
--   walking on iteratively      2 to 50 ms from ef_search 100; recall 0.97 where 10 % match, 0.86 at 5 %, 0.83 at 1 %,
--                               and 0.67 where 10 % match and all lie far from the query
-- A graph that finds the 400 nearest rows as well (deep_recall of pgvec.keep_recall) can be trusted further: one look, so deep that twice as many rows match as
-- are read, and that it finds rows 1.4 times as far as those lie on average: by half more than the ef_search that finds the nearest ten, and in proportion as much more
-- as the 400 nearest took. Where it does not, since rows lie in small groups far from each other, walking on leads nowhere: a look of eight times as many
-- rows finds them where a tenth match, and where fewer do four times as many rows as else are scanned (a million rows: recall 0.987 at 10 %, 1.000 at 5 and
-- 1 %, in place of 0.980, 0.937 and 0.883).
-- So few matches are scanned at once; more are first looked for in the index, which pays wherever matches lie near, and
-- scanned if it finds too few of them; and only where that would be too many rows is the index walked on.
drop function if exists pgvec.wide_steps(pgvec.collections, text, text, int, float8, boolean);
drop function if exists pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, boolean);
drop function if exists pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, float8);

create or replace function pgvec.wide_steps(request pgvec.search_request, read_rows int, ef_search int, matches float8, to_scan float8)
  returns pgvec.search_step[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  collection constant pgvec.collections := request.collection;
  kind       constant text := collection.search_kind;
  method     constant text := collection.search_method;
  wanted     constant int := request.wanted;
  spare      constant float8 := 1.2;   -- rows found in one look, over rows wanted
  depth      constant int := 10;       -- rows looked at, over rows wanted, within which the index can be trusted
  look_costs constant float8 := 30;    -- rows of an exact scan that take three times as long as a look of ef_search 1
  detour     constant float8 := 8;     -- rows walked over rows needed, where matches are not far
  most_ef    constant int := 1000;     -- pgvector's limit
  exact_rows float8 := coalesce((collection.settings ->> 'exact_rows')::float8, least(25000, 1e7 / collection.dimensions));
  enough     int := ceil(spare * read_rows);
  trusted    constant boolean := case method when 'hnsw' then (collection.settings #>> '{tuned,deep_recall}')::float8 >= 0.99 end;  -- null: not known
  deep_ef    constant float8 := coalesce((collection.settings #>> '{tuned,deep_ef_search}')::float8, most_ef);  -- finds the 400 nearest
  steps      pgvec.search_step[] := '{}'::pgvec.search_step[];
  fraction   float8 := least(1, greatest(matches, 1) / greatest(pgvec.estimate_rows(collection, request.tenants), matches, 1));
  look       int;                      -- hnsw.ef_search
  deep_look  float8;
  tuples     int;
begin
  -- without an index the whole table is read, a row in a quarter of the time
  to_scan := coalesce(to_scan, matches / fraction / 4);
  -- scale ef_search by 1 / selectivity, up to 100 where few rows match, capped by what one scan can return
  look := least(most_ef, greatest(ef_search, least(100, ef_search / fraction), least(depth * read_rows, 1.5 * enough / fraction)));
  deep_look := least(most_ef, greatest(2 * read_rows / fraction, 1.5 * ef_search + greatest(0, deep_ef - 1.5 * ef_search) * 1.4 * read_rows / fraction / 400));
  if trusted and read_rows / fraction <= 400 and to_scan > look_costs / 3 * deep_look then
    steps := steps || (kind, 'off', deep_look, 20000, read_rows, read_rows, null, false, matches)::pgvec.search_step;
  elsif to_scan > look_costs * look then
    steps := steps || (kind, 'off', look, 20000, enough, enough, null, method = 'ivfflat', matches)::pgvec.search_step;
    -- twice as far once more, where that promises twice as many
    if 2 * look <= most_ef and look * fraction >= enough then
      look := 2 * look;
      steps := steps || (kind, 'off', look, 20000, 2 * enough, 2 * enough, null, method = 'ivfflat', matches)::pgvec.search_step;
    end if;
  end if;

  if not trusted and to_scan > exact_rows and 6 * enough / fraction <= most_ef then
    steps := steps || (kind, 'off', least(most_ef, 8 * enough / fraction), 20000, enough, enough, null, false, matches)::pgvec.search_step;
  elsif to_scan > exact_rows * (case when not trusted then 4 else 1 end) then
    look := least(most_ef, greatest(look, 2 * read_rows / fraction));
    tuples := least(1000000, greatest(2 * look, detour * read_rows / fraction));
    steps := steps || (kind, 'relaxed_order', look, tuples, read_rows, wanted, null, true, matches)::pgvec.search_step;
    if to_scan > 10 * exact_rows then
      steps := steps || (kind, 'relaxed_order', look, 10 * tuples, read_rows, wanted, null, true, matches)::pgvec.search_step;
    end if;
  end if;
  return steps || (null, null, null, null, wanted, 0, null, true, matches)::pgvec.search_step;
end
$$;
comment on function pgvec.wide_steps(pgvec.search_request, int, int, float8, float8) is
  'The steps of a search with a filter that so many rows match, for which an exact scan reads to_scan rows (null: all of the table), '
  'over the vector index of its collection; '
  'the last is an exact scan (see type pgvec.search_step). '
  'Setting of the collection: exact_rows, up to which matches are scanned rather than the index walked on (25,000, less above 400 dimensions).';
revoke all on function pgvec.wide_steps(pgvec.search_request, int, int, float8, float8) from public;
select pgvec.grant_execute('pgvec.wide_steps(pgvec.search_request, int, int, float8, float8)', 'reader');
