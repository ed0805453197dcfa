-- depends: 0015.models
-- Rows that go with an account: the table of the accounts, and the column that refers to it.

alter table pgvec.collections add column if not exists owner_table regclass;
alter table pgvec.collections add column if not exists owner_column name;

comment on column pgvec.collections.owner_table  is 'The table of the accounts with which rows are deleted (pgvec.set_owner); null for none. Follows a rename.';
comment on column pgvec.collections.owner_column is 'The column of base that refers to owner_table.';

alter table pgvec.search_log add column if not exists owner uuid;
create index if not exists search_log_owner_idx on pgvec.search_log (owner) where owner is not null;
create index if not exists search_log_tenant_idx on pgvec.search_log ((tenants[1])) where tenants[1] is not null;
create index if not exists search_log_several_idx on pgvec.search_log (collection) where cardinality(tenants) > 1;

comment on column pgvec.search_log.owner is 'Where rows of some collection belong to accounts: whose search it was. Deleted with the account.';

-- Unlogged: a row is of one transaction, which removes it at its end. A deferred trigger needs a table.
create unlogged table if not exists pgvec.forgotten (
  id         bigint generated always as identity primary key,
  collection text not null,
  tenant     uuid not null,
  words      text[],
  lost       bigint[],
  live       boolean,
  loads      text[]
);

comment on table  pgvec.forgotten            is 'What a transaction has deleted, and its end removes from the statistics: pgvec.forget_words. Empty otherwise.';
comment on column pgvec.forgotten.id         is 'Number of the row.';
comment on column pgvec.forgotten.collection is 'The collection.';
comment on column pgvec.forgotten.tenant     is 'Whose rows they were; the nil uuid where rows belong to no tenant.';
comment on column pgvec.forgotten.words      is 'Lexemes that rows have lost.';
comment on column pgvec.forgotten.lost       is 'How many rows have lost each.';
comment on column pgvec.forgotten.live       is 'Whether that is counted in pgvec.lexemes already.';
comment on column pgvec.forgotten.loads      is 'Rows that were the last of a load.';

revoke all on table pgvec.forgotten from public;
