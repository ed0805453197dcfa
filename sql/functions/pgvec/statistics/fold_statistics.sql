-- pgvec.fold_statistics -- merges the parts of a collection's statistics.
-- A large collection has parts of its totals only: its words are counted all at once.
create or replace function pgvec.fold_statistics(collection pgvec.collections, tenant uuid)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- for a new collection the planner has no statistics, and would compare every word with every other
  set enable_nestloop = off
as $$
declare
  most_parts constant int := 16;
begin
  if pgvec.counts_live(collection, tenant) then
    with many as (
           select l.lexeme
             from pgvec.lexemes as l
            where l.collection = fold_statistics.collection.name
              and l.tenant = fold_statistics.tenant
            group by l.lexeme
           having count(*) > most_parts or sum(l.documents) = 0),
         gone as (
           delete from pgvec.lexemes as l
            using many as m
            where l.collection = fold_statistics.collection.name
              and l.tenant = fold_statistics.tenant
              and l.lexeme = m.lexeme
           returning l.lexeme, l.documents)
    insert into pgvec.lexemes (collection, tenant, lexeme, documents)
    select fold_statistics.collection.name, fold_statistics.tenant, g.lexeme, sum(g.documents)
      from gone as g
     group by g.lexeme
    having sum(g.documents) <> 0;
  end if;

  with gone as (
         delete from pgvec.text_totals as t
          where t.collection = fold_statistics.collection.name
            and t.tenant = fold_statistics.tenant
         returning t.*)
  insert into pgvec.text_totals (collection, tenant, documents, positions, uncounted, changes, languages)
  select g.collection, g.tenant, sum(g.documents), sum(g.positions), sum(g.uncounted), sum(g.changes),
         array(select distinct u from gone as x, unnest(x.languages) as u)
    from gone as g
   group by g.collection, g.tenant;
end
$$;
comment on function pgvec.fold_statistics(pgvec.collections, uuid) is
  'Replaces the rows of pgvec.text_totals, and those of lexemes with many, by their sums. One caller at a time: it locks the collection''s row in the registry '
  'first.';
revoke all on function pgvec.fold_statistics(pgvec.collections, uuid) from public;
