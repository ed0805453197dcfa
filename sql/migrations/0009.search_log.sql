-- depends: 0008.changes
-- What was searched for, how long it took and what it found: a sample, where the owner asks for it (pgvec.log_searches).

alter table pgvec.collections add column if not exists log_sample float8 check (log_sample > 0 and log_sample <= 1);
alter table pgvec.collections add column if not exists log_keep interval not null default '30 days' check (log_keep > interval '0');
alter table pgvec.collections add column if not exists log_texts boolean not null default false;
alter table pgvec.collections add column if not exists log_embeddings boolean not null default false;

comment on column pgvec.collections.log_sample     is 'The share of searches that pgvec.search_log gets, above 0 to 1; null for none.';
comment on column pgvec.collections.log_keep       is 'How long they stay there; pgvec.prune_search_log removes them then.';
comment on column pgvec.collections.log_texts      is 'Whether the text and the filter of a search are logged.';
comment on column pgvec.collections.log_embeddings is 'Whether the vector of a search is logged.';

-- Unlogged: a search must not wait for the disk to have its row, nor replicas for what is of no use to them. It is empty
-- after a crash. No foreign key: each row would lock, and so write, the collection's row in the registry.
create unlogged table if not exists pgvec.search_log (
  collection      text not null,
  searched_at     timestamptz not null,
  id              bigint generated always as identity,
  function        text not null,
  route           text not null,
  requested       int not null,
  returned        int not null,
  ms              float8 not null,
  top_score       float8,
  tenants         uuid[],
  filtered        boolean not null,
  sample          float8 not null,
  query_text      text,
  query_filter    jsonb,
  query_embedding extensions.vector,
  primary key (collection, searched_at, id)
);

comment on table  pgvec.search_log                 is 'A sample of the searches: see pgvec.log_searches. For the owner, and whom the owner grants it: it tells of all tenants.';
comment on column pgvec.search_log.collection      is 'The collection searched.';
comment on column pgvec.search_log.searched_at     is 'When the search began.';
comment on column pgvec.search_log.id              is 'Number of the row.';
comment on column pgvec.search_log.function        is 'The function: match_documents, keyword_search or hybrid_search, also where another one called it.';
comment on column pgvec.search_log.route           is 'How rows were found: as pgvec.explain_search says for vectors (index, exact and so on), else keyword or hybrid.';
comment on column pgvec.search_log.requested       is 'Rows asked for.';
comment on column pgvec.search_log.returned        is 'Rows found.';
comment on column pgvec.search_log.ms              is 'Milliseconds that it took in the server, without the logging.';
comment on column pgvec.search_log.top_score       is 'The best similarity, of keyword and hybrid searches the best score; null where nothing was found.';
comment on column pgvec.search_log.tenants         is 'The tenants whose rows were searched, where rows belong to tenants.';
comment on column pgvec.search_log.filtered        is 'Whether there was a filter.';
comment on column pgvec.search_log.sample          is 'The share of searches that was logged then: a row stands for 1 / sample of them.';
comment on column pgvec.search_log.query_text      is 'The text, where texts are logged: its first 10,000 characters.';
comment on column pgvec.search_log.query_filter    is 'The filter, where texts are logged.';
comment on column pgvec.search_log.query_embedding is 'The vector, where embeddings are logged.';

revoke all on table pgvec.search_log from public;

-- Anybody may listen to a channel whose name they know, so the name is a secret of the owner's.
create table if not exists pgvec.search_channel (
  name text primary key default 'pgvec_' || replace(gen_random_uuid()::text, '-', '')
);

comment on table  pgvec.search_channel      is 'Where searches in read-only transactions are announced, for pgvec-admin log collect: one row.';
comment on column pgvec.search_channel.name is 'Name of the channel. Whoever knows it can listen to what is logged.';

revoke all on table pgvec.search_channel from public;

insert into pgvec.search_channel
select where not exists (select from pgvec.search_channel);

create or replace view pgvec.stats with (security_invoker = true) as
select l.collection,
       l.function,
       l.route,
       count(*) as logged,
       round(sum(1 / l.sample))::bigint as searches,
       coalesce(round(sum(1 / l.sample) filter (where l.searched_at > now() - interval '1 day')), 0)::bigint as last_day,
       coalesce(round(sum(1 / l.sample) filter (where l.searched_at > now() - interval '1 hour')), 0)::bigint as last_hour,
       percentile_cont(0.5) within group (order by l.ms) as p50_ms,
       percentile_cont(0.95) within group (order by l.ms) as p95_ms,
       percentile_cont(0.99) within group (order by l.ms) as p99_ms,
       percentile_disc(0.5) within group (order by l.returned) as returned_p50,
       avg((l.returned < l.requested)::int)::float8 as short_share,
       percentile_cont(0.1) within group (order by l.top_score) as top_score_p10,
       percentile_cont(0.5) within group (order by l.top_score) as top_score_p50,
       max(l.searched_at) as last_searched_at
  from pgvec.search_log as l
 group by l.collection, l.function, l.route;

comment on view   pgvec.stats                  is 'The search log in figures, by collection, function and route. For whom pgvec.search_log is.';
comment on column pgvec.stats.collection       is 'The collection.';
comment on column pgvec.stats.function         is 'The function.';
comment on column pgvec.stats.route            is 'How rows were found.';
comment on column pgvec.stats.logged           is 'Searches in the log.';
comment on column pgvec.stats.searches         is 'Searches that these stand for.';
comment on column pgvec.stats.last_day         is 'Of these, in the last 24 hours.';
comment on column pgvec.stats.last_hour        is 'Of these, in the last hour.';
comment on column pgvec.stats.p50_ms           is 'Milliseconds that half of the searches stayed below.';
comment on column pgvec.stats.p95_ms           is 'Milliseconds that 95 % stayed below.';
comment on column pgvec.stats.p99_ms           is 'Milliseconds that 99 % stayed below.';
comment on column pgvec.stats.returned_p50     is 'Median of the rows found.';
comment on column pgvec.stats.short_share      is 'Share of the searches that found fewer rows than they asked for.';
comment on column pgvec.stats.top_score_p10    is 'The best score of a search: what a tenth stayed below.';
comment on column pgvec.stats.top_score_p50    is 'The best score of a search: the median.';
comment on column pgvec.stats.last_searched_at is 'The last search.';

revoke all on table pgvec.stats from public;
