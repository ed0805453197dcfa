-- pgvec.forget_words -- removes words from the statistics of a collection that no row has any more.
-- A text that was deleted leaves none of its words behind. Parts that another transaction is folding are left to it, so that
-- nobody waits: what is removed here adds up to nothing, so sums stay right. In READ COMMITTED only, as in pgvec.settle_statistics.
-- In a large collection (not live) words are not counted with every statement; so words that as many rows have lost as had them
-- when they were last counted are gone: a row that came since is found all the same, and its word counts as a rare one.
create or replace function pgvec.forget_words(collection text, tenant uuid, words text[], lost bigint[], live boolean)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- the planner, which knows nothing of a new collection, would compare every word with every other
  set enable_nestloop = off
as $$
declare
  gone text[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  gone := array(
    select c.lexeme
      from (select l.lexeme, sum(l.documents) as documents
              from pgvec.lexemes as l
             where l.collection = forget_words.collection
               and l.tenant = forget_words.tenant
               and l.lexeme = any (words)
             group by l.lexeme) as c
      join unnest(words, lost) as w (word, lost) on w.word = c.lexeme
     where case when live then c.documents = 0 else c.documents <= w.lost end);
  if gone = '{}' then
    return;
  end if;
  with parts as materialized (
         select l.ctid as place, l.lexeme, l.documents
           from pgvec.lexemes as l
          where l.collection = forget_words.collection
            and l.tenant = forget_words.tenant
            and l.lexeme = any (gone)
            for update skip locked)
  delete from pgvec.lexemes as l
   where l.ctid = any (array(
           select p.place
             from parts as p
            where not live
               or p.lexeme in (select s.lexeme from parts as s group by s.lexeme having sum(s.documents) = 0)));
end
$$;
comment on function pgvec.forget_words(text, uuid, text[], bigint[], boolean) is
  'Removes those of the words from pgvec.lexemes that no row of the collection, or of the tenant, has any more. lost: how many rows have lost each; live: whether that has been '
  'counted there already.';
revoke all on function pgvec.forget_words(text, uuid, text[], bigint[], boolean) from public;
