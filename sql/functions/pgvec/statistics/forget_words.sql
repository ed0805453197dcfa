-- pgvec.forget_words -- removes words from the statistics of a collection that no row has any more.
-- A text that was deleted leaves none of its words behind. Nobody waits: parts of the counts that another transaction is changing
-- are left to it. What is removed of a small collection (live) adds up to nothing, so that sums stay right all the same. The words of
-- a large one are not counted with every statement; those that were lost are taken off here, so that the last row takes its words
-- along. In READ COMMITTED only, as in pgvec.settle_statistics.
create or replace function pgvec.forget_words(collection text, tenant uuid, words text[], lost bigint[], live boolean)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  gone text[];
  item record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  elsif live then
    gone := array(
      select l.lexeme
        from pgvec.lexemes as l
       where l.collection = forget_words.collection
         and l.tenant = forget_words.tenant
         and l.lexeme = any (words)
       group by l.lexeme
      having sum(l.documents) = 0);
    if gone <> '{}' then
      with parts as materialized (
             select l.ctid as place, l.lexeme, sum(l.documents) over (partition by l.lexeme) as documents
               from (select x.ctid, x.lexeme, x.documents
                       from pgvec.lexemes as x
                      where x.collection = forget_words.collection
                        and x.tenant = forget_words.tenant
                        and x.lexeme = any (gone)
                        for update skip locked) as l)
      delete from pgvec.lexemes as l where l.ctid = any (array(select p.place from parts as p where p.documents = 0));
    end if;
    return;
  end if;

  for item in
    select w.word, w.lost from unnest(words, lost) as w (word, lost)
  loop
    with parts as materialized (
           select l.ctid as place
             from pgvec.lexemes as l
            where l.collection = forget_words.collection
              and l.tenant = forget_words.tenant
              and l.lexeme = item.word
              for update skip locked),
         gone as (
           delete from pgvec.lexemes as l where l.ctid = any (array(select p.place from parts as p)) returning l.documents)
    insert into pgvec.lexemes (collection, tenant, lexeme, documents)
    select forget_words.collection, forget_words.tenant, item.word, sum(g.documents) - item.lost
      from gone as g
    having sum(g.documents) > item.lost;
  end loop;
end
$$;
comment on function pgvec.forget_words(text, uuid, text[], bigint[], boolean) is
  'Removes those of the words from pgvec.lexemes that no row of the collection, or of the tenant, has any more. lost: how many rows have lost each; live: whether that has been '
  'counted there already, and otherwise it is.';
revoke all on function pgvec.forget_words(text, uuid, text[], bigint[], boolean) from public;
