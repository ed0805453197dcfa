-- pgvec.live_claims -- the ids that runs of embedding work on just now, except those of one run.
-- A claim is alive while a session holds the advisory lock of its run, so that a crash ends it at once; and no longer than its
-- lease, since a session whose client has vanished may last for hours, and one of a pooler for days.
create or replace function pgvec.live_claims(collection text, except_run bigint default null)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(distinct i.id), '{}')
    from pgvec.embedding_runs as r
   cross join lateral unnest(r.ids) as i (id)
   where r.collection = live_claims.collection
     and r.run is distinct from live_claims.except_run
     and r.until > clock_timestamp()
     and pgvec.run_sessions(r.run) <> '{}'
$$;
comment on function pgvec.live_claims(text, bigint) is
  'The ids of a collection''s rows that runs of embedding have claimed (pgvec.claim_documents), except those of one run; without claims whose session or lease has ended.';
revoke all on function pgvec.live_claims(text, bigint) from public;
