-- pgvec.claim_documents -- one batch of stale rows for a run of embedding, that no other run is given meanwhile.
-- Two runs would otherwise pay for the same texts. A run has a number, and its session holds the advisory lock of that number. A
-- claim ends with the next one of the same run, with its session, and with its lease. Behind a pooler in transaction mode the
-- lock stays with a session of the pooler: after a crash the rows are free once the lease has ended.
-- Rows that failed before are a pass of their own, after all others, those first that were tried longest ago: at the front they
-- would take the whole of a limited run, every time. To be claimed counts as to be tried, so that a run meets them once.
create or replace function pgvec.claim_documents(
    collection text,
    run bigint,
    batch int default 256,
    after text default null,
    failed_before timestamptz default null,
    lease interval default '1 hour')
  returns table (id text, content text, content_hash text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(claim_documents.collection);
  wanted  text;
  claimed text[];
begin
  if run is null or batch < 0 or (lease > interval '0') is not true then
    raise exception using
      errcode = 'PV004',
      message = format('run %s cannot claim %s rows for %s', coalesce(run::text, 'null'), coalesce(batch, 256), coalesce(lease::text, 'null')),
      hint    = 'run: a random number of its own; batch: at least 1, or 0 to give up what was claimed; lease: a time';
  end if;

  -- claims are made one after the other, so that each sees those before it
  perform pg_advisory_xact_lock(hashtextextended('pgvec.claim_documents ' || target.name, 0));
  delete from pgvec.embedding_runs as r
   where r.collection = target.name
     and (r.run = claim_documents.run or r.until <= clock_timestamp() or pgvec.run_sessions(r.run) = '{}');
  if batch = 0 or after is null and failed_before is null then
    perform pgvec.forget_failures(target);
  end if;
  if batch = 0 then
    perform pg_advisory_unlock(run) where pg_backend_pid() = any (pgvec.run_sessions(run));
    return;
  end if;
  perform pg_try_advisory_lock(run) where pgvec.run_sessions(run) = '{}';

  wanted := format(
    $query$
      from %s as d
      left join pgvec.embedding_failures as f on f.collection = $1 and f.id = d.id and f.content_hash = d.content_hash
     where d.embedded_hash is distinct from d.content_hash
       and d.content ~ '\S'
       and %s
    $query$,
    coalesce(target.source, target.relation::text),
    case when failed_before is null then 'f.id is null and ($2 is null or d.id > $2)' else 'f.tried_at < $3' end);
  execute format(
    'select array(select d.id %s and d.id <> all ($4) order by %s d.id fetch first $5 rows with ties)',
    wanted, case when failed_before is not null then 'f.tried_at,' end)
    into claimed
    using target.name, after, failed_before, pgvec.live_claims(target.name, run), coalesce(batch, 256);
  if claimed = '{}' then
    return;
  end if;
  insert into pgvec.embedding_runs (collection, run, ids, until)
  values (target.name, claim_documents.run, claimed, clock_timestamp() + lease);
  return query execute format('select d.id, d.content, d.content_hash %s and d.id = any ($4) order by d.id', wanted)
    using target.name, after, failed_before, claimed;
  if failed_before is not null then
    update pgvec.embedding_failures as f
       set tried_at = clock_timestamp()
     where f.collection = target.name
       and f.id = any (claimed);
  end if;
end
$$;
comment on function pgvec.claim_documents(text, bigint, int, text, timestamptz, interval) is
  'As pgvec.stale_documents, for programs of which several may run at once: rows that no other run has claimed; the claim ends with the next one of the same run (a '
  'random number), its session, or the lease. Without failed_before: rows that have not failed (pgvec.note_failures), with ids greater than after. With it: rows '
  'whose last failure was before that time, those tried longest ago first. batch 0 returns nothing, and ends the claim. Raises PV001, PV004.';
revoke all on function pgvec.claim_documents(text, bigint, int, text, timestamptz, interval) from public;
