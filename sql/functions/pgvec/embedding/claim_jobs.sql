-- pgvec.claim_jobs -- rows to embed, with their texts, that nobody else is given until the lease has ended.
-- Entries whose row is gone, embedded, without text, or has another text than was queued, are removed. Once in a while, when
-- nothing is due, stale rows are looked for that no trigger has queued: written with triggers off, restored, or older than the
-- model.
create or replace function pgvec.claim_jobs(
    collection text, batch int default 100, lease interval default '5 minutes', worker bigint default null, failed_before timestamptz default null)
  returns table (id text, tenant uuid, content text, content_hash text, attempts int)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.of_model(claim_jobs.collection);
  name    constant text := pgvec.model_name(target);
  adopted pgvec.adoptions;
  source  text;
  leased  record;
  given   text[];
  swept   boolean := false;
begin
  perform pgvec.check_count('batch', batch, 1, 10000);
  if (lease > interval '0') is not true then
    raise exception using
      errcode = 'PV004',
      message = format('lease cannot be %s', coalesce(lease::text, 'null')),
      hint    = 'how long the rows are nobody else''s, for example 5 minutes';
  end if;
  source := format('%s as d where d.id = any ($1)', coalesce(target.source, target.relation::text));
  if target.base <> target.relation then
    adopted := pgvec.adopted(target.name);
    source := format('%s as d where d.c%s = any ($1::%s[])', target.source, adopted.id_number, adopted.id_type);
  end if;
  -- before any entry of the queue is locked: a transaction that has the whole table would wait for that in its triggers
  execute format('select from %s limit 0', source) using '{}'::text[];

  loop
    select array_agg(j.id) as ids, array_agg(j.tenant) as tenants, array_agg(j.content_hash) as hashes, array_agg(j.attempts) as attempts, count(*) as rows into leased
      from pgvec.lease_jobs(name, batch, lease, worker, failed_before) as j;
    if leased.rows = 0 then
      exit when swept;
      swept := true;
      exit when not pgvec.sweep_queue(name);
      continue;
    end if;
    begin
      execute format(
        $query$
        select array(select d.id
                       from (select d.* from %s and d.embedded_hash is distinct from d.content_hash and d.content ~ '\S') as d
                       join unnest($1, $2) as j (id, hash) on (j.id, j.hash) = (d.id, d.content_hash))
        $query$, source)
        into given
        using leased.ids, leased.hashes;
    exception when data_exception then
      given := '{}';  -- the key of an adopted table is of another type now: its rows are queued again
    end;
    if cardinality(given) < leased.rows then
      perform pgvec.settle_jobs(name, array_agg(u.id), array_agg(u.hash), array_agg(u.id), array_agg(u.tenant))
         from unnest(leased.ids, leased.hashes, leased.tenants) as u (id, hash, tenant)
        where u.id <> all (given);
    end if;
    continue when given = '{}';
    return query execute format(
      $query$
      select d.id, j.tenant, d.content, d.content_hash, j.attempts
        from (select d.* from %s and d.embedded_hash is distinct from d.content_hash and d.content ~ '\S') as d
        join unnest($2, $3, $4) as j (id, tenant, attempts) on j.id = d.id %s
       order by d.id
      $query$, source, case when target.access = 'tenant' then 'and j.tenant = d.tenant_id' end)
      using given, leased.ids, leased.tenants, leased.attempts;
    get diagnostics leased.rows = row_count;
    exit when leased.rows > 0;
  end loop;
end
$$;
comment on function pgvec.claim_jobs(text, int, interval, bigint, timestamptz) is
  'At most batch rows of a collection to embed, of the caller''s tenants. Embed content, then pass id and content_hash to pgvec.store_embeddings, or to pgvec.fail_jobs. '
  'lease: how long they are nobody else''s; worker and failed_before as in pgvec.lease_jobs. Raises PV001, PV004, PV006.';
revoke all on function pgvec.claim_jobs(text, int, interval, bigint, timestamptz) from public;
select pgvec.grant_execute('pgvec.claim_jobs(text, int, interval, bigint, timestamptz)', 'writer');
