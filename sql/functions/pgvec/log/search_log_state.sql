-- pgvec.search_log_state -- what is logged of each collection, including searches in read-only transactions.
create or replace function pgvec.search_log_state()
  returns table (
    collection text, sample float8, keep interval, texts boolean, embeddings boolean,
    logged bigint, overdue bigint, first_searched_at timestamptz, last_searched_at timestamptz, read_only text)
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select c.name, c.log_sample, c.log_keep, c.log_texts, c.log_embeddings,
         l.logged, l.overdue, l.first_searched_at, l.last_searched_at,
         case
           when c.log_sample is null then 'off'
           when s.listens then 'collected'
           else 'not logged: no pgvec-admin log collect is running'
         end
    from (select pgvec.collector_listens() as listens offset 0) as s
   cross join pgvec.collections as c
   cross join lateral (
           select count(*) as logged,
                  count(*) filter (where l.searched_at < now() - c.log_keep) as overdue,
                  min(l.searched_at) as first_searched_at,
                  max(l.searched_at) as last_searched_at
             from pgvec.search_log as l
            where l.collection = c.name) as l
   order by c.name
$$;
comment on function pgvec.search_log_state() is
  'The settings of pgvec.log_searches of every collection, its rows in pgvec.search_log, those overdue (pgvec.prune_search_log removes them), '
  'and what becomes of searches in read-only transactions, such as those of PostgREST (read_only): off, collected, or not logged and why. Those on a standby never are.';
revoke all on function pgvec.search_log_state() from public;
