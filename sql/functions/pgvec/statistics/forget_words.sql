-- pgvec.forget_words -- removes words from the statistics of a collection that no row has any more, and resume points of loads whose
-- last row is gone: of a text that was deleted no trace stays.
-- At the end of the transaction, so that what it locks holds nobody up: counts that others are changing at that moment are left to
-- them. Not while somebody counts the words of all rows (pgvec.count_statistics): what that has read before it would write again, and
-- nothing would be left that takes it off. What is removed of a small collection (live) adds up to nothing, so that sums stay right all the same. The words of a large
-- one are not counted with every statement; those that were lost are taken off here. In READ COMMITTED only, as in
-- pgvec.settle_statistics.
-- Definer: who deletes rows may not write the statistics.
create or replace function pgvec.forget_words()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone text[];
  item record;
begin
  if tg_relid <> 'pgvec.forgotten'::regclass then
    return null;
  end if;
  delete from pgvec.forgotten as f where f.id = new.id;
  if current_setting('transaction_isolation') <> 'read committed' then
    return null;
  end if;
  delete from pgvec.loads as l
   where l.ctid = any (array(
           select x.ctid from pgvec.loads as x where x.collection = new.collection and x.tenant = new.tenant and x.last_id = any (new.loads) for update skip locked));

  perform from pgvec.collections as c where c.name = new.collection for share skip locked;
  if not found then
    return null;
  end if;
  if new.live then
    gone := array(
      select l.lexeme
        from pgvec.lexemes as l
       where l.collection = new.collection
         and l.tenant = new.tenant
         and l.lexeme = any (new.words)
       group by l.lexeme
      having sum(l.documents) = 0);
    with parts as materialized (
           select l.ctid as place, sum(l.documents) over (partition by l.lexeme) as documents
             from (select x.ctid, x.lexeme, x.documents
                     from pgvec.lexemes as x
                    where x.collection = new.collection
                      and x.tenant = new.tenant
                      and x.lexeme = any (gone)
                      for update skip locked) as l)
    delete from pgvec.lexemes as l where l.ctid = any (array(select p.place from parts as p where p.documents = 0));
    return null;
  end if;

  for item in
    select w.word, w.lost from unnest(new.words, new.lost) as w (word, lost)
  loop
    with parts as materialized (
           select l.ctid as place
             from pgvec.lexemes as l
            where l.collection = new.collection
              and l.tenant = new.tenant
              and l.lexeme = item.word
              for update skip locked),
         taken as (
           delete from pgvec.lexemes as l where l.ctid = any (array(select p.place from parts as p)) returning l.documents)
    insert into pgvec.lexemes (collection, tenant, lexeme, documents)
    select new.collection, new.tenant, item.word, sum(t.documents) - item.lost
      from taken as t
    having sum(t.documents) > item.lost;
  end loop;
  return null;
end
$$;
comment on function pgvec.forget_words() is
  'Trigger of pgvec.forgotten, deferred: removes the words from pgvec.lexemes that no row of the collection, or of the tenant, has any more, '
  'and the resume points of loads, and the note itself.';
revoke all on function pgvec.forget_words() from public;
select pgvec.grant_execute('pgvec.forget_words()', 'owner');

drop trigger if exists forget_words on pgvec.forgotten;
create constraint trigger forget_words after insert on pgvec.forgotten deferrable initially deferred for each row execute function pgvec.forget_words();
