-- The functions that return verdicts go with their type; the release that has none brings its own.
drop type if exists pgvec.verdict cascade;
