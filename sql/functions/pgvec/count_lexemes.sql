-- pgvec.count_lexemes -- keeps the statistics of BM25 up with a collection's table, after every statement.
-- Each statement adds what it changed as rows of its own, so that writers do not wait for each other, and readers sum
-- them; pgvec.settle_statistics keeps these sums short. A collection of more than live_statistics rows (a setting) only
-- notes how many rows changed, for pgvec.refresh_statistics: counting its words would cost every writer more than it
-- gives, since a few rows among many hardly change how rare a word is.
-- Definer, since nobody else may see or write the statistics. The arguments are the collection and the key of its table.
create or replace function pgvec.count_lexemes()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  nobody    constant uuid := '00000000-0000-0000-0000-000000000000';
  target    pgvec.collections;
  languages text := '''{}''::text[]';
  changes   text;
  noted     bigint;
begin
  select c.* into target from pgvec.collections as c where c.name = tg_argv[0];
  if tg_op = 'TRUNCATE' then
    perform pgvec.forget_lexemes(target.name);
    return null;
  end if;

  changes := case tg_op
               when 'INSERT' then 'select n.fts, 1 as sign from new_rows as n'
               when 'DELETE' then 'select o.fts, -1 as sign from old_rows as o'
               else format('select c.fts, s.sign
                       from new_rows as n
                       full join old_rows as o using (%I)
                      cross join (values (1), (-1)) as s (sign)
                      cross join lateral (select case s.sign when 1 then n.fts else o.fts end) as c (fts)
                      where n.fts is distinct from o.fts
                        and c.fts is not null', tg_argv[1])
             end;
  -- the table of an adopted collection has one language
  if tg_op <> 'DELETE' and target.text_table = target.relation then
    languages := 'array(select distinct n.language from new_rows as n where n.language is not null)';
  end if;

  execute format(
    case
      when pgvec.counts_live(target, nobody) then
        $query$
        with changes as materialized (%s),
             counted as materialized (
               select l.lexeme, sum(c.sign) as documents, sum(c.sign * coalesce(cardinality(l.positions), 1)) as positions
                 from changes as c, unnest(c.fts) as l
                group by l.lexeme),
             frequencies as (
               insert into pgvec.lexemes (collection, tenant, lexeme, documents)
               select $1, $2, c.lexeme, c.documents from counted as c where c.documents <> 0)
        insert into pgvec.text_totals (collection, tenant, documents, positions, uncounted, languages)
        select $1, $2, sum(c.sign), coalesce((select sum(x.positions) from counted as x), 0), 0, %s
          from changes as c
        having count(*) > 0
        $query$
      else
        $query$
        with changes as (%s)
        insert into pgvec.text_totals (collection, tenant, documents, positions, uncounted, languages)
        select $1, $2, 0, 0, count(*), %s
          from changes as c
        having count(*) > 0
        $query$
    end, changes, languages)
    using target.name, nobody;
  get diagnostics noted = row_count;
  if noted > 0 then
    perform pgvec.settle_statistics(target, nobody);
  end if;
  return null;
end
$$;
comment on function pgvec.count_lexemes() is
  'Trigger of every table with lexemes, after each statement: adds to pgvec.lexemes and pgvec.text_totals what INSERT, UPDATE and DELETE changed, and empties them with TRUNCATE. '
  'Arguments: the collection, and the column that identifies its rows.';
revoke all on function pgvec.count_lexemes() from public;
