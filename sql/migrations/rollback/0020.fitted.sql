drop table if exists pgvec.lexeme_vectors;
drop table if exists pgvec.fits;
