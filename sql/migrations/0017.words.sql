-- depends: 0016.owners
-- Lexemes are made by rules that change between releases: a collection remembers which.

alter table pgvec.collections add column if not exists word_rules text;

comment on column pgvec.collections.word_rules is
  'The rules (pgvec.word_rules) by which the lexemes of all its rows were made; null for a collection of a release before there were several.';
comment on column pgvec.collections.settings is 'Search settings, for example {"ef_search": 100, "fold_accents": true}.';
