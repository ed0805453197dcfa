-- pgvec.settle_statistics -- the upkeep after a statement has added to the statistics of a collection.
-- Sums of many parts are folded by one writer at a time, and without waiting; in READ COMMITTED only, since at other levels
-- deleting what another has folded is an error. Weights are renewed when the first rows give an average length, unless there
-- are so many that pgvec.running_length was close to it all along, and while a collection is young and its average still moves:
-- at most each time that it has doubled, so ten times in all. Renewing writes the table. This function runs within a trigger
-- that runs as its owner, so it writes trusted tables only (pgvec.is_trusted); for others pgvec.refresh_statistics is then due.
create or replace function pgvec.settle_statistics(collection pgvec.collections, tenant uuid)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_parts constant int := 32;
  young      constant int := 1000;    -- rows; above that, pgvec.refresh_statistics renews
  few        constant int := 10000;   -- rows of a first load
  tolerance  constant float8 := 0.1;  -- moves the weight of a word by a twenty-fifth in a text of average length, by a tenth in the longest
  totals     record;
  parameters pgvec.bm25_parameters;
begin
  insert into pgvec.bm25_parameters (collection, tenant, k1, b)
  select settle_statistics.collection.name, settle_statistics.tenant, s.k1, s.b
    from pgvec.bm25_settings(settle_statistics.collection) as s
   where not exists (select from pgvec.bm25_parameters as x where x.collection = settle_statistics.collection.name and x.tenant = settle_statistics.tenant)
      on conflict do nothing;

  select count(*) as parts, sum(t.documents)::bigint as documents, sum(t.positions)::float8 / nullif(sum(t.documents), 0) as average_length into totals
    from pgvec.text_totals as t
   where t.collection = settle_statistics.collection.name
     and t.tenant = settle_statistics.tenant;

  if totals.parts > most_parts
     and current_setting('transaction_isolation') = 'read committed'
  then
    -- one folds at a time: the one that locks the registry row, which no other role may lock
    perform from pgvec.collections as c where c.name = settle_statistics.collection.name for no key update skip locked;
    if found then
      perform pgvec.fold_statistics(collection, tenant);
    end if;
  end if;

  select p.* into parameters
    from pgvec.bm25_parameters as p
   where p.collection = settle_statistics.collection.name
     and p.tenant = settle_statistics.tenant;
  if parameters.average_length is null and totals.documents > few then
    update pgvec.bm25_parameters as p
       set average_length = totals.average_length, documents = totals.documents
     where p.collection = settle_statistics.collection.name
       and p.tenant = settle_statistics.tenant;
  elsif parameters.average_length is null and totals.average_length > 0
     or totals.documents between 2 * parameters.documents and young
        and abs(totals.average_length / nullif(parameters.average_length, 0) - 1) > tolerance
  then
    if not pgvec.is_trusted(collection.text_table, to_write => true) then
      return;
    end if;
    perform pgvec.write_weights(collection, pgvec.note_parameters(collection, tenant, totals.average_length, totals.documents), true);
  end if;
end
$$;
comment on function pgvec.settle_statistics(pgvec.collections, uuid) is
  'After a statement has added to the statistics: folds them where they have many parts, and renews the weights of a young collection whose average length has moved by a tenth.';
revoke all on function pgvec.settle_statistics(pgvec.collections, uuid) from public;
