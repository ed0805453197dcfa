-- pgvec.posted_rows -- the rows that can score highest for a query, by the postings of its lexemes.
-- Blocks are read by what they can add to a score, idf times the largest weight, until there are enough entries; the rows with the greatest sums
-- are returned, and the caller scores them: the sums lack the lexemes of a row that weigh too little there to be listed. What that may be at most is
-- known: rows that cannot be among the wanted by it are left out (Fagin, Lotem and Naor, Optimal Aggregation Algorithms for Middleware,
-- JCSS 2003), with twice as many as wanted to spare for rows that were changed or are gone. Where these
-- do not suffice, the caller finds scores below bound, and asks for all.
-- Definer, since nobody else may read postings: ids of rows. So it works out by itself whose they are (pgvec.scoped), and returns none
-- where the caller may not read all of them. Few keys are looked up in large tables, of which the planner may know nothing yet: OFFSET 0 keeps
-- the order.
drop function if exists pgvec.posted_rows(text, uuid, text[], extensions.sparsevec, int);

create or replace function pgvec.posted_rows(
    collection text, for_tenant uuid, lexemes text[], weights extensions.sparsevec, depth int, wanted int default null, out ids text[], out rest tsquery, out bound float8)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  -- half a microsecond each; of one lexeme the heaviest are the best, and of many those that are added to the words of a text weigh little
  most_entries constant int := case when cardinality(lexemes) = 1 then depth when cardinality(lexemes) = 2 then 12000 when cardinality(lexemes) <= 8 then 32000 else 16000 end;
  most_rest    constant int := 10;  -- lexemes without postings, of at most 256 rows each
  total_weight constant float8 := posted_rows.weights operator(extensions.<+>) '{}/268435456';
  request pgvec.search_request := pgvec.scoped(posted_rows.collection, for_tenant);
  target  pgvec.collections := request.collection;
  owner   uuid := coalesce(request.tenants[1], pgvec.no_tenant());
begin
  if not target.posted or cardinality(request.tenants) > 1 or not pgvec.holds_postings(target.name, owner)
     or target.access <> 'tenant' and not pgvec.shows_all(target) then
    return;
  end if;
  with words as materialized (
         select u.lexeme, - (posted_rows.weights operator(extensions.<#>) format('{%s:1}/268435456', ('x' || left(md5(u.lexeme), 7))::bit(28)::int + 1)::extensions.sparsevec) as weight
           from unnest(posted_rows.lexemes) as u (lexeme)),
       blocks as materialized (
         select w.lexeme, w.weight, p.entries, p.most, p.least, sum(p.listed) over (order by w.weight * p.most desc, p.lexeme, p.block rows unbounded preceding) - p.listed as before
           from words as w
          cross join lateral (
                select x.* from pgvec.postings as x where x.collection = target.name and x.tenant = owner and x.lexeme = w.lexeme offset 0) as p),
       sums as (
         select e.entry & 4503599627370495 as number, sum((2047 - (e.entry >> 52)) * e.weight) as score
           from (select unnest(b.entries) as entry, b.weight from blocks as b where b.before < most_entries offset 0) as e
          group by e.entry & 4503599627370495
          order by score desc, number
          limit depth),
       others as (  -- without postings
         select w.lexeme, w.weight from words as w where w.lexeme not in (select b.lexeme from blocks as b) order by w.weight desc, w.lexeme limit most_rest),
       unread as (  -- what a row may have that is not in its sum, in units of an entry; these are rounded, and so are the weights
         select 2047 * greatest(0, total_weight * 1.000001 - sum(u.weight) - coalesce((select sum(o.weight) from others as o), 0)) + sum(u.weight * (2 + 2047 * u.most)) as most,
                sum(u.weight) as rounded
           from (select b.weight, coalesce(max(b.most) filter (where b.before >= most_entries), max(b.least))
                        + case when max(b.most) >= 1 then 1 else 0 end as most  -- two lexemes share a dimension
                   from blocks as b group by b.lexeme, b.weight) as u),
       least as (
         select (s.score - u.rounded) / 2047 as score, s.score - u.most as least from sums as s, unread as u where wanted is not null order by s.score desc offset 3 * wanted limit 1),
       changed as (
         select c.id
           from words as w
          cross join lateral (
                select x.* from pgvec.posting_changes as x where x.collection = target.name and x.tenant = owner and x.lexeme = w.lexeme offset 0) as c
          group by c.id
          order by sum(c.weight * w.weight) desc, c.id
          limit depth)
  select case when exists (select from blocks) then
           array(select i.id
                   from sums as s
                   left join least as a on true
                  cross join lateral (
                        select x.id from pgvec.posted_ids as x where x.collection = target.name and x.tenant = owner and x.number = s.number offset 0) as i
                  where (s.score >= a.least) is not false
                  union
                 select c.id from changed as c) end,
         (select string_agg(format('''%s''', replace(replace(o.lexeme, e'\\', e'\\\\'), '''', '''''')), ' | ')::tsquery from others as o),
         (select a.score from least as a)
    into posted_rows.ids, posted_rows.rest, posted_rows.bound;
end
$$;
comment on function pgvec.posted_rows(text, uuid, text[], extensions.sparsevec, int, int) is
  'ids: at least the depth rows of a collection, or of a tenant''s, that can score highest by BM25 for lexemes with these weights (of pgvec.keyword_query), as far as '
  'their postings tell, but none that cannot be among so many wanted (null: all of these); null where there are no postings, and where the caller may not read all rows. '
  'rest: the lexemes without postings, which few rows have. bound: rows left out for not being among the wanted score '
  'less, unless they were changed. Raises PV001 and PV006.';
revoke all on function pgvec.posted_rows(text, uuid, text[], extensions.sparsevec, int, int) from public;
select pgvec.grant_execute('pgvec.posted_rows(text, uuid, text[], extensions.sparsevec, int, int)', 'reader');
