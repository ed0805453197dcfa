-- depends: 0004.search
-- What BM25 has to know of all rows together: how many rows have each lexeme, how many rows there are, and how long they
-- are on average. Kept by trigger as rows to be summed, which writers only ever add, so that none waits for another.

alter table pgvec.collections add column if not exists text_table regclass;

update pgvec.collections as c
   set text_table = coalesce((select a.side from pgvec.adoptions as a where a.collection = c.name), c.base)
 where c.text_table is null;

comment on column pgvec.collections.text_table is 'The table with the lexemes and weights of each row (fts, bm25): base, or the side table of an adopted one.';

create table if not exists pgvec.lexemes (
  collection text not null,
  tenant     uuid not null,
  lexeme     text not null,
  documents  bigint not null
);

create index if not exists lexemes_idx on pgvec.lexemes (collection, tenant, lexeme) include (documents);

comment on table  pgvec.lexemes            is 'Document frequencies, to be summed. Without a foreign key, whose check would cost more than the row.';
comment on column pgvec.lexemes.collection is 'The collection.';
comment on column pgvec.lexemes.tenant     is 'Whose rows are counted; the nil uuid where rows belong to no tenant.';
comment on column pgvec.lexemes.lexeme     is 'A lexeme of fts.';
comment on column pgvec.lexemes.documents  is 'How many more rows have it (fewer, if negative).';

create table if not exists pgvec.text_totals (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant     uuid not null,
  documents  bigint not null,
  positions  bigint not null,
  uncounted  bigint not null default 0,
  languages  text[] not null default '{}'
);

create index if not exists text_totals_idx on pgvec.text_totals (collection, tenant);

comment on table  pgvec.text_totals            is 'Rows and words of a collection, to be summed.';
comment on column pgvec.text_totals.collection is 'The collection.';
comment on column pgvec.text_totals.tenant     is 'Whose rows are counted; the nil uuid where rows belong to no tenant.';
comment on column pgvec.text_totals.documents  is 'Rows whose lexemes are counted in pgvec.lexemes.';
comment on column pgvec.text_totals.positions  is 'Sum of their lengths, in words that have a lexeme.';
comment on column pgvec.text_totals.uncounted  is 'Rows inserted, changed or deleted since, which the counts do not know.';
comment on column pgvec.text_totals.languages  is 'Text search configurations that rows have of their own.';

create table if not exists pgvec.bm25_parameters (
  collection     text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant         uuid not null,
  average_length float8,
  k1             float8 not null,
  b              float8 not null,
  documents      bigint not null default 0,
  renewed_at     timestamptz not null default now(),
  primary key (collection, tenant)
);

comment on table  pgvec.bm25_parameters                is 'What the weights in the bm25 columns were made with.';
comment on column pgvec.bm25_parameters.collection     is 'The collection.';
comment on column pgvec.bm25_parameters.tenant         is 'Whose rows; the nil uuid where rows belong to no tenant.';
comment on column pgvec.bm25_parameters.average_length is 'Average length of a row, in words that have a lexeme; null before the first row.';
comment on column pgvec.bm25_parameters.k1             is 'How soon repeating a word stops counting.';
comment on column pgvec.bm25_parameters.b              is 'How much a long row is held back, 0 to 1.';
comment on column pgvec.bm25_parameters.documents      is 'Rows there were then.';
comment on column pgvec.bm25_parameters.renewed_at     is 'When.';

-- frequencies tell what others have written: the functions read them, nobody else
revoke all on table pgvec.lexemes, pgvec.text_totals, pgvec.bm25_parameters from public;

do $$
begin
  if to_regtype('pgvec.keyword_query') is null then
    create type pgvec.keyword_query as (
      candidates tsquery,
      words      tsquery,
      weights    extensions.sparsevec,
      phrases    text,
      excluded   text
    );
  end if;
  if to_regtype('pgvec.scored') is null then
    create type pgvec.scored as (id text, score float8);
  end if;
  if to_regtype('pgvec.fused') is null then
    create type pgvec.fused as (
      id            text,
      score         float8,
      similarity    float8,
      keyword_score float8,
      semantic_rank bigint,
      keyword_rank  bigint
    );
  end if;
end
$$;

comment on type pgvec.keyword_query is
  'A text to search for: the tsquery that finds candidates, that of all its words, their BM25 weights by lexeme, what stands in quotes, and what has a minus.';
comment on type pgvec.scored is 'The id of a row, and its score.';
comment on type pgvec.fused is 'The id of a row, its score in a hybrid search, and where that comes from.';

revoke all on type pgvec.keyword_query, pgvec.scored, pgvec.fused from public;
