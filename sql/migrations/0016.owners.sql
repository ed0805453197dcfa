-- depends: 0014.adopted_columns
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
