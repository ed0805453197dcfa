-- depends: 0019.typed_words
-- Vectors of words, fitted to the rows of a collection: the vector of a query is their sum, without a model. They tell which
-- words occur beside which, so they are for the owner alone; pgvec.query_vector returns their sums.

create table if not exists pgvec.fits (
  collection text primary key references pgvec.collections (name) on update cascade on delete cascade,
  model      text,
  dimensions int not null,
  rows       bigint not null,
  lexemes    int not null,
  agreement  float8,
  length     float8 not null,
  mean       extensions.vector not null,
  fitted_at  timestamptz not null default clock_timestamp()
);
comment on table  pgvec.fits            is 'Collections with fitted vectors of words: pgvec.lexeme_vectors.';
comment on column pgvec.fits.collection is 'The collection.';
comment on column pgvec.fits.model      is 'Its model when it was fitted; the vectors serve no other.';
comment on column pgvec.fits.dimensions is 'The dimensions of its vectors.';
comment on column pgvec.fits.rows       is 'The rows that were fitted to, of a large collection a sample.';
comment on column pgvec.fits.lexemes    is 'The lexemes that have a vector.';
comment on column pgvec.fits.agreement  is 
  'The mean cosine, among rows that were left out, of the vector fitted to the beginning of a row and its own, both less the mean; null where there were too few.';
comment on column pgvec.fits.length     is 'The mean length of the vectors.';
comment on column pgvec.fits.mean       is 'Their mean.';
comment on column pgvec.fits.fitted_at  is 'When that was.';

create table if not exists pgvec.lexeme_vectors (
  collection text not null references pgvec.fits (collection) on update cascade on delete cascade,
  lexeme     text not null,
  vector     extensions.halfvec not null,
  primary key (collection, lexeme)
);
comment on table  pgvec.lexeme_vectors            is 'What each lexeme adds to the vector of a query: pgvec.query_vector.';
comment on column pgvec.lexeme_vectors.collection is 'The collection.';
comment on column pgvec.lexeme_vectors.lexeme     is 'The lexeme, as in fts.';
comment on column pgvec.lexeme_vectors.vector     is 'Its vector, by how rare it is; all of a collection have one scale, which has no meaning.';

revoke all on table pgvec.fits, pgvec.lexeme_vectors from public;
