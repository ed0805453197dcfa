-- The functions that return a row of it go with the table; the release that has none brings its own.
drop table if exists pgvec.lexeme_vectors;
drop table if exists pgvec.fits cascade;
