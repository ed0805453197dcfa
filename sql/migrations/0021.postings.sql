-- depends: 0020.fitted
-- Short queries of common words: of each frequent lexeme the rows where it weighs most, the heaviest first.

alter table pgvec.collections add column if not exists posted boolean not null default false;

create table if not exists pgvec.postings (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant     uuid not null,
  lexeme     text not null,
  block      int not null,
  most       real not null,
  least      real not null,
  listed     int not null,
  entries    bigint[] not null,
  primary key (collection, tenant, lexeme, block)
);

-- read as they are: compression would not make hashes shorter
alter table pgvec.postings alter column entries set storage external;

create table if not exists pgvec.posted_ids (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant     uuid not null,
  number     bigint not null,
  id         text not null,
  primary key (collection, tenant, number, id)
);

create table if not exists pgvec.posting_changes (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant     uuid not null,
  lexeme     text not null,
  part       bigint generated always as identity,
  weight     real not null,
  id         text not null,
  primary key (collection, tenant, lexeme, part)
);

comment on column pgvec.collections.posted is 'Whether there are postings of it (pgvec.postings).';

comment on table  pgvec.postings            is 'The rows of frequent lexemes by weight, in blocks: see pgvec.write_postings.';
comment on column pgvec.postings.collection is 'The collection.';
comment on column pgvec.postings.tenant     is 'Whose rows; the nil uuid where rows belong to no tenant.';
comment on column pgvec.postings.lexeme     is 'The lexeme.';
comment on column pgvec.postings.block      is 'Number of the block, 0 for the heaviest rows.';
comment on column pgvec.postings.most       is 'The largest weight in the block.';
comment on column pgvec.postings.least      is 'No row without an entry in a block of the lexeme weighed more; 0 where every row has one.';
comment on column pgvec.postings.listed     is 'Number of its entries.';
comment on column pgvec.postings.entries    is 'For each row its number (pgvec.posted_ids), and above its 52 bits 2,047 times what its weight lacks to 1: the heaviest first.';

comment on table  pgvec.posted_ids            is 'The ids of the rows in pgvec.postings, by their numbers.';
comment on column pgvec.posted_ids.collection is 'The collection.';
comment on column pgvec.posted_ids.tenant     is 'Whose rows; the nil uuid where rows belong to no tenant.';
comment on column pgvec.posted_ids.number     is '52 bits of the hash of the id.';
comment on column pgvec.posted_ids.id         is 'The id.';

comment on table  pgvec.posting_changes            is 'Rows with frequent lexemes that were written after pgvec.postings.';
comment on column pgvec.posting_changes.collection is 'The collection.';
comment on column pgvec.posting_changes.tenant     is 'Whose row; the nil uuid where rows belong to no tenant.';
comment on column pgvec.posting_changes.lexeme     is 'A lexeme of the row.';
comment on column pgvec.posting_changes.part       is 'Number of the row.';
comment on column pgvec.posting_changes.weight     is 'The weight of the lexeme in it.';
comment on column pgvec.posting_changes.id         is 'Its id.';

revoke all on table pgvec.postings, pgvec.posted_ids, pgvec.posting_changes from public;

do $$
begin
  if not exists (select from pg_catalog.pg_attribute as a
                  where a.attrelid = (select t.typrelid from pg_catalog.pg_type as t where t.oid = 'pgvec.keyword_query'::regtype)
                    and a.attname = 'lexemes') then
    alter type pgvec.keyword_query add attribute lexemes text[];
  end if;
end
$$;

comment on type pgvec.keyword_query is
  'A text to search for: the tsquery that finds candidates, that of all its words, their BM25 weights by lexeme, what stands in quotes, what has a minus, and '
  'the lexemes that find rows, null where something else than lexemes does.';
