-- pgvec.embedding_status -- how far embedding has come.
create or replace function pgvec.embedding_status(collection text default null)
  returns table (
    name text, model text, pending bigint, in_work bigint, waiting bigint, dead bigint, stale bigint, oldest interval,
    documents_per_minute float8, tokens_today bigint, tokens bigint, dollars numeric)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  wanted constant text := embedding_status.collection;
  target pgvec.collections;
begin
  if wanted is not null then
    perform pgvec.of_model(wanted);
  end if;
  for target in
    select r.*
      from (select c.name from pgvec.collections as c where wanted is null and c.model is not null and has_table_privilege(c.base, 'select') is not null
             union all
            select c.name || '@' || m.model
              from pgvec.model_changes as m
              join pgvec.collections as c on c.name = m.collection
             where wanted is null and m.state = 'pending' and has_table_privilege(c.base, 'select') is not null
             union all
            select wanted where wanted is not null) as n (name)
     cross join lateral pgvec.of_model(n.name) as r
     order by n.name
  loop
    return query
      select pgvec.model_name(target), target.model, j.pending, j.in_work, j.waiting, j.dead, pgvec.count_stale(pgvec.model_name(target)), j.oldest,
             u.lately / (extract(epoch from 3600 * interval '1 s' + (now() - date_trunc('hour', now()))) / 60)::float8,
             u.today, u.tokens,
             round(u.tokens * coalesce((target.settings ->> 'embedding_price')::numeric, pgvec.model_price(target.model)) / 1000000, 4)
        from (select count(*) filter (where q.due_at <= clock_timestamp()) as pending,
                     count(*) filter (where q.due_at > clock_timestamp() and q.worker is not null) as in_work,
                     count(*) filter (where q.due_at > clock_timestamp() and q.worker is null and q.due_at < 'infinity') as waiting,
                     count(*) filter (where q.due_at = 'infinity') as dead,
                     clock_timestamp() - min(q.queued_at) filter (where q.due_at < 'infinity') as oldest
                from pgvec.embedding_jobs as q
               where q.collection = pgvec.model_name(target)) as j,
             (select coalesce(sum(e.documents) filter (where e.hour >= date_trunc('hour', now()) - interval '1 hour'), 0) as lately,
                     coalesce(sum(e.tokens) filter (where e.hour >= date_trunc('day', now())), 0)::bigint as today,
                     coalesce(sum(e.tokens), 0)::bigint as tokens
                from pgvec.embedding_usage as e
               where e.collection = target.name
                 and e.model = coalesce(target.model, '')) as u;
  end loop;
end
$$;
comment on function pgvec.embedding_status(text) is
  'For a collection (or NAME@MODEL, while its model is changed), or for each that has a model: entries of the queue that are due (pending), claimed (in_work), '
  'waiting after a failure, and dead; all stale rows; how long '
  'the oldest waits; rows embedded a minute in this hour and the last; tokens of today and of all time by the present model, and what they cost in dollars (the setting '
  'embedding_price, dollars a million, else pgvec.model_price). Raises PV001.';
revoke all on function pgvec.embedding_status(text) from public;
