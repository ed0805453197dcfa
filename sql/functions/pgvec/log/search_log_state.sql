-- pgvec.search_log_state -- what is logged of each collection, including searches in read-only transactions.
-- The log is unlogged in PostgreSQL's sense: a replica has none, and cannot even read how many rows there are.
create or replace function pgvec.search_log_state()
  returns table (
    collection text, sample float8, keep interval, texts boolean, embeddings boolean,
    logged bigint, overdue bigint, first_searched_at timestamptz, last_searched_at timestamptz, read_only text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  listens boolean;
begin
  if pg_is_in_recovery() then
    return query
      select c.name, c.log_sample, c.log_keep, c.log_texts, c.log_embeddings,
             null::bigint, null::bigint, null::timestamptz, null::timestamptz,
             case when c.log_sample is null then 'off' else 'not logged: this is a replica' end
        from pgvec.collections as c
       order by c.name;
    return;
  end if;

  listens := pgvec.collector_listens();
  return query
    select c.name, c.log_sample, c.log_keep, c.log_texts, c.log_embeddings,
           l.logged, l.overdue, l.first_searched_at, l.last_searched_at,
           case
             when c.log_sample is null then 'off'
             when listens then 'collected'
             else 'not logged: no pgvec-admin log collect is running'
           end
      from pgvec.collections as c
     cross join lateral (
             select count(*) as logged,
                    count(*) filter (where s.searched_at < now() - c.log_keep) as overdue,
                    min(s.searched_at) as first_searched_at,
                    max(s.searched_at) as last_searched_at
               from pgvec.search_log as s
              where s.collection = c.name) as l
     order by c.name;
end
$$;
comment on function pgvec.search_log_state() is
  'The settings of pgvec.log_searches of every collection, its rows in pgvec.search_log, those overdue (pgvec.prune_search_log removes them), '
  'and what becomes of searches in read-only transactions, such as those of PostgREST (read_only): off, collected, or not logged and why. Those on a standby never are.';
revoke all on function pgvec.search_log_state() from public;
