-- depends: 0012.search_request
-- The queue of rows to embed. Which rows are stale is told by the hashes beside them; the queue knows since when, who works on
-- them, how often they failed and when they are due again. For the owner alone, as ids and reasons are of all tenants.

create table if not exists pgvec.embedding_jobs (
  collection   text not null,
  id           text not null,
  tenant       uuid not null,
  content_hash text not null,
  queued_at    timestamptz not null default clock_timestamp(),
  due_at       timestamptz not null default clock_timestamp(),
  worker       bigint,
  in_session   boolean,
  attempts     int not null default 0,
  tried_at     timestamptz,
  reason       text,
  primary key (collection, id, tenant)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
create index if not exists embedding_jobs_due_idx on pgvec.embedding_jobs (collection, due_at);
create index if not exists embedding_jobs_worker_idx on pgvec.embedding_jobs (worker) where worker is not null;

comment on table  pgvec.embedding_jobs              is 'Rows to embed, one entry each. Without a foreign key, whose check would cost more than the row.';
comment on column pgvec.embedding_jobs.collection   is 'The collection.';
comment on column pgvec.embedding_jobs.id           is 'The id of the row.';
comment on column pgvec.embedding_jobs.tenant       is 'Whose row it is; the nil uuid where rows belong to no tenant.';
comment on column pgvec.embedding_jobs.content_hash is 'The hash of the text to embed; another text starts anew.';
comment on column pgvec.embedding_jobs.queued_at    is 'Since when the row waits.';
comment on column pgvec.embedding_jobs.due_at       is 'When it may be claimed: at once, later after a failure, at the end of the lease while claimed, never when dead (infinity).';
comment on column pgvec.embedding_jobs.worker       is 'The number of the worker that has claimed it.';
comment on column pgvec.embedding_jobs.in_session   is 'Whether the worker''s session held the advisory lock of its number: then the claim ends with that session.';
comment on column pgvec.embedding_jobs.attempts     is 'How often it has failed.';
comment on column pgvec.embedding_jobs.tried_at     is 'When it last failed.';
comment on column pgvec.embedding_jobs.reason       is 'Why, in the words of the provider or the database.';

create table if not exists pgvec.embedding_queues (
  collection text primary key references pgvec.collections (name) on update cascade on delete cascade,
  swept_at   timestamptz not null
);
comment on table  pgvec.embedding_queues            is 'The queues of pgvec.embedding_jobs.';
comment on column pgvec.embedding_queues.collection is 'The collection.';
comment on column pgvec.embedding_queues.swept_at   is 'When stale rows were last looked for that are not in the queue, such as rows older than the model.';

create table if not exists pgvec.embedding_usage (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  model      text not null,
  hour       timestamptz not null,
  documents  bigint not null,
  tokens     bigint not null,
  primary key (collection, model, hour)
);
comment on table  pgvec.embedding_usage            is 'What embedding has taken, by the hour.';
comment on column pgvec.embedding_usage.collection is 'The collection.';
comment on column pgvec.embedding_usage.model      is 'The model that embedded, provider:name.';
comment on column pgvec.embedding_usage.hour       is 'The beginning of the hour.';
comment on column pgvec.embedding_usage.documents  is 'How many rows were embedded.';
comment on column pgvec.embedding_usage.tokens     is 'How many tokens the provider has counted for them.';

revoke all on table pgvec.embedding_jobs, pgvec.embedding_queues, pgvec.embedding_usage from public;
