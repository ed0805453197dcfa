-- pgvec.search_steps -- how a search goes about it: what to try, in which order, and when a step has found enough.
-- Without a filter, or with one that has an index of its own, one look at the index mostly does; where row level security hides much of what it finds, the index is
-- walked on. Without an index there is the exact scan, which is always the last step. At a tie at the limit reading tenfold
-- closes all but a flood of duplicates.
-- With a filter, so few matches that a look at the index would not pay are scanned (3000: look_costs of pgvec.wide_steps,
-- times the least ef_search of a look). For more see there. How many match is asked of the planner, by EXPLAIN, for 0.02 ms;
-- a bounded count would read a good part of the table for a filter that many rows pass.
-- An ef_search of 40 is the smallest with a recall of 0.98 on 100,000 rows of 384 dimensions in clusters of 100 (20: 0.946,
-- 40: 0.983, 60: 0.997); for more rows pgvec.note_index notes a greater one. 1000 is pgvector's limit.
-- Volatile, since EXPLAIN is a utility statement, which stable functions may not run themselves.
drop function if exists pgvec.search_steps(pgvec.collections, text, int, text, jsonb);
drop function if exists pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb);
drop function if exists pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb, text);
drop function if exists pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb);
drop function if exists pgvec.filtered_steps(pgvec.collections, text, text, int, int, int, text, jsonb);

create or replace function pgvec.search_steps(request pgvec.search_request, out steps pgvec.search_step[], out scanned text, out walked text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  collection constant pgvec.collections := request.collection;
  kind      constant text := collection.search_kind;
  method    constant text := collection.search_method;
  condition constant text := request.condition;
  wanted    constant int := request.wanted;
  indexed   constant boolean := condition = 'd.metadata @> ($2 -> 0)' and collection.settings -> 'indexed_filters' ? (request.bound ->> 0)
                                and request.distance = collection.distance;  -- by an index of its own
  read_rows constant int := case kind when 'column' then wanted + 1 else pgvec.read_rows(collection, kind, wanted) end;  -- a call costs 25 microseconds
  ef_search int := least(1000, greatest(1, read_rows, coalesce((collection.settings ->> 'ef_search')::int, (collection.settings ->> 'default_ef_search')::int, 40)));
  plan      text;
  matches   float8;
  to_scan   float8;
begin
  scanned := coalesce(collection.source, collection.relation::text);
  walked := scanned;
  if request.tenants is not null then
    select t.* into scanned, walked, matches, to_scan from pgvec.tenant_rows(request, condition, null) as t;
  end if;
  if kind is null then
    steps := array[(null, null, null, null, wanted, 0, null, true, null)]::pgvec.search_step[];
    return;
  elsif condition = '' or indexed then
    if indexed then
      ef_search := greatest(ef_search, 100);  -- of a filter a recall of 0.99 is wanted, and rows are fewer
    end if;
    steps := array[
      (kind, case method when 'hnsw' then 'off' else 'relaxed_order' end, ef_search, 20000, read_rows, wanted, false, method = 'ivfflat', null)::pgvec.search_step,
      (kind, 'relaxed_order', ef_search, 20000, read_rows, wanted, false, true, null)::pgvec.search_step,
      (kind, 'relaxed_order', ef_search, 20000, 10 * read_rows, wanted, true, true, null)::pgvec.search_step,
      (null, null, null, null, wanted, 0, null, true, null)::pgvec.search_step];
    return;
  end if;

  if matches is null then
    execute format('explain (format json) select from %s as d where d.embedding is not null and %s', scanned, condition)
      into plan
      using null::text, request.bound;
    -- those of the topmost node come first; reading it as JSON, or by a pattern, would take a good part of making it
    matches := split_part(split_part(plan, '"Plan Rows": ', 2), ',', 1)::float8;
    to_scan := case when position('"Index Name":' in plan) > 0 then matches end;
  end if;
  steps := case
             when to_scan <= 3000 then array[(null, null, null, null, wanted, 0, null, false, matches)]::pgvec.search_step[]
             else pgvec.wide_steps(request, read_rows, ef_search, matches, to_scan)
           end;
end
$$;
comment on function pgvec.search_steps(pgvec.search_request) is
  'The steps of a search over the index of its collection (search_kind, search_method), each for when those before found too few rows, the last an exact scan '
  '(see type pgvec.search_step). '
  'scanned, walked: the FROM items that an exact scan and a walk through the index read: of tenants, those of pgvec.tenant_rows. '
  'Settings of the collection: ef_search, the least hnsw.ef_search (default: default_ef_search, which pgvec.note_index keeps, or 40); those of pgvec.read_rows and '
  'pgvec.wide_steps; indexed_filters, which have an index of their own (pgvec.note_index keeps them).';
revoke all on function pgvec.search_steps(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.search_steps(pgvec.search_request)', 'reader');
