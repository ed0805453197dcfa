-- depends: 0012.search_request
-- What runs of embedding tell each other: the rows that each works on, and those that failed. For the owner alone, as ids and
-- reasons are of all tenants.

create table if not exists pgvec.embedding_runs (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  run        bigint not null,
  ids        text[] not null,
  until      timestamptz not null,
  primary key (collection, run)
);

comment on table  pgvec.embedding_runs            is 'The rows that runs of embedding work on, one batch a run: see pgvec.claim_documents.';
comment on column pgvec.embedding_runs.collection is 'The collection that is embedded.';
comment on column pgvec.embedding_runs.run        is 'The run: a number of its own, whose advisory lock its session holds.';
comment on column pgvec.embedding_runs.ids        is 'The ids of its batch, which no other run is given.';
comment on column pgvec.embedding_runs.until      is 'When the claim ends in any case; it ends before with the session.';

create table if not exists pgvec.embedding_failures (
  collection   text not null references pgvec.collections (name) on update cascade on delete cascade,
  id           text not null,
  content_hash text not null,
  reason       text not null,
  attempts     int not null default 1,
  tried_at     timestamptz not null default clock_timestamp(),
  primary key (collection, id, content_hash)
);

comment on table  pgvec.embedding_failures              is 'Rows that could not be embedded, and are tried after all others. Removed once embedded, changed or gone.';
comment on column pgvec.embedding_failures.collection   is 'The collection.';
comment on column pgvec.embedding_failures.id           is 'The id of the row.';
comment on column pgvec.embedding_failures.content_hash is 'The hash of the text that failed; another text is tried like any other.';
comment on column pgvec.embedding_failures.reason       is 'Why, in the words of the provider or the database.';
comment on column pgvec.embedding_failures.attempts     is 'How often it has failed.';
comment on column pgvec.embedding_failures.tried_at     is 'When it was last tried.';

revoke all on table pgvec.embedding_runs, pgvec.embedding_failures from public;
