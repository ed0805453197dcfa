-- pgvec.write_postings -- lists, for each frequent lexeme, the rows of a tenant where it weighs most: its postings, by impact.
-- A query of common words would otherwise read every row that has one. With postings it reads those that can matter, the
-- heaviest first, and as many as it has time for: Anh, de Kretser and Moffat, Vector-Space Ranking with Effective Early Termination (SIGIR
-- 2001); Lin and Trotman, Anytime Ranking for Impact-Ordered Indexes (ICTIR 2015).
-- A lexeme that fewer rows have needs none: its rows are read. Of one that more have than are kept, a sample of the rows tells which
-- weights need not be sorted, where reading that costs less than sorting.
-- The rows and the changes that they make obsolete are read by one statement, in one snapshot: of a concurrent write it sees both or neither. A write that began
-- before, and noted no changes, is waited for; if it takes long, postings stay as they are.
create or replace function pgvec.write_postings(collection pgvec.collections, tenant uuid)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
  set enable_nestloop = off  -- joins in the order they are written, by hash: after a first load nothing tells how many words
  set join_collapse_limit = 1  -- there are, and all rows were read for each, or all words weighed for each row
  set work_mem = '64MB'  -- some entries of every row are sorted
  set enable_hashagg = off  -- which would hold all of them, and does where they are few
  set enable_sort = on
as $$
declare
  frequent constant int := 256;
  kept     constant int := 16384;
  a_block  constant int := 1024;
  sampled  constant float8 := 20000;
  few      constant bigint := 5000000;  -- entries, 40 MB of them, that are collected without sorting
  until    constant timestamptz := clock_timestamp() + interval '10 seconds';
  documents bigint := (select sum(t.documents) from pgvec.text_totals as t where t.collection = write_postings.collection.name and t.tenant = write_postings.tenant);
  -- the rows, and some of them
  rows_     text := format('%s as d%s', collection.base, case collection.access when 'tenant' then format(' where d.tenant_id = %L', tenant) end);
  some_rows text := format('%s as d tablesample system (%s) where %s', collection.base, least(100, greatest(1, 100 * sampled / greatest(documents, 1))),
                           case when documents <= 3 * sampled then 'false'
                                when collection.access = 'tenant' then format('d.tenant_id = %L', tenant)
                                else 'true' end);
begin
  while not pg_try_advisory_xact_lock(pgvec.posting_lock(collection.name)) loop
    if clock_timestamp() > until then
      return;
    end if;
    perform pg_sleep(0.02);
  end loop;
  delete from pgvec.postings as p where p.collection = write_postings.collection.name and p.tenant = write_postings.tenant;
  delete from pgvec.posted_ids as p where p.collection = write_postings.collection.name and p.tenant = write_postings.tenant;
  if (select sum(t.positions) from pgvec.text_totals as t where t.collection = write_postings.collection.name and t.tenant = write_postings.tenant) <= few then
    perform set_config('enable_hashagg', 'on', true), set_config('enable_sort', 'off', true);
  end if;
  execute format(
    $query$
    with lexemes as materialized (
           select row_number() over ()::int as number, f.lexeme, f.documents,
                  format('{%%s:1}/268435456', ('x' || left(md5(f.lexeme), 7))::bit(28)::int + 1)::extensions.sparsevec as unit
             from (select l.lexeme, sum(l.documents) as documents from pgvec.lexemes as l where l.collection = $1 and l.tenant = $2 group by l.lexeme) as f
            where f.documents >= $3),
         sample as materialized (
           select s.number, s.weight, s.documents, row_number() over (partition by s.number order by s.weight desc) as place, count(*) over (partition by s.number) as rows
             from (select f.number, - (d.bm25 operator(extensions.<#>) f.unit) as weight, f.documents
                     from (select d.fts, d.bm25 from %2$s) as d
                    cross join lateral unnest(tsvector_to_array(d.fts)) as l (lexeme)
                     join lexemes as f on f.lexeme = l.lexeme and f.documents > 1.3 * $4) as s),
         bounds as materialized (
           select s.number, max(s.weight) as least from sample as s where s.place >= 5 + 1.3 * $4 * s.rows / s.documents group by s.number),
         found as (  -- sorted lexeme by lexeme, which is quicker than all at once
           select w.number, w.bound, count(*) as rows, min(w.entry) as first, array_agg(w.entry) as entries
             from (select f.number, f.bound, (2047 + greatest(-2047, 2047 * (d.bm25 operator(extensions.<#>) f.unit))::int)::bigint << 52 | d.number as entry
                     from (select hashtextextended(d.id, 0) & 4503599627370495 as number, d.fts, d.bm25 from %1$s offset 0) as d
                    cross join lateral unnest(tsvector_to_array(d.fts)) as l (lexeme)
                     join (select f.number, f.lexeme, f.unit, b.least as bound from lexemes as f left join bounds as b on b.number = f.number offset 0) as f
                          on f.lexeme = l.lexeme
                   offset 0) as w
            where w.bound is null or w.entry >> 52 <= 2047 - 2047 * w.bound
            group by w.number, w.bound),
         listed as materialized (  -- the order within the only block is nothing to anybody
           select f.number, f.bound, f.rows, f.first,
                  case when f.rows <= $5 and f.bound is null then f.entries else array(select u.entry from unnest(f.entries) as u (entry) order by u.entry limit $4) end as entries
             from found as f),
         ids as (
           insert into pgvec.posted_ids (collection, tenant, number, id) select $1, $2, hashtextextended(d.id, 0) & 4503599627370495 as number, d.id
             from (select d.id from %1$s) as d where exists (select from lexemes) order by number),
         obsolete as (
           delete from pgvec.posting_changes as p where p.collection = $1 and p.tenant = $2)
    insert into pgvec.postings (collection, tenant, lexeme, block, most, least, listed, entries)
    select $1, $2, f.lexeme, b.block, 1 - (case b.block when 0 then l.first else l.entries[b.block * $5 + 1] end >> 52) / 2047.0,
           case when l.bound is not null or l.rows > $4 then 1 - (l.entries[cardinality(l.entries)] >> 52) / 2047.0 else 0 end,
           least($5, cardinality(l.entries) - b.block * $5), l.entries[b.block * $5 + 1:(b.block + 1) * $5]
      from listed as l
      join lexemes as f on f.number = l.number
     cross join lateral generate_series(0, (cardinality(l.entries) - 1) / $5) as b (block)
    $query$, rows_, some_rows)
    using collection.name, tenant, frequent, kept, a_block;
end
$$;
comment on function pgvec.write_postings(pgvec.collections, uuid) is
  'Makes the postings of a collection, or of a tenant''s rows in it, anew from its rows and the counts of their words.';
revoke all on function pgvec.write_postings(pgvec.collections, uuid) from public;
