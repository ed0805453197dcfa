-- depends: 0017.words
-- How long embedding took, so that the time of what is left can be told before anything is sent.

alter table pgvec.embedding_usage add column if not exists seconds float8 not null default 0;

comment on column pgvec.embedding_usage.seconds is 'How long workers took for them, each at its own concurrency; 0 where a worker did not tell.';
