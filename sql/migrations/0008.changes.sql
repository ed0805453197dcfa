-- depends: 0007.noted_queries
-- How often a collection has changed, for those who keep answers: see pgvec.collection_version.

alter table pgvec.text_totals add column if not exists changes bigint not null default 1;

comment on column pgvec.text_totals.changes is 'Statements that have changed rows, whether or not their texts.';
