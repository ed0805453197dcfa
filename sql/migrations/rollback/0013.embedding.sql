drop table if exists pgvec.embedding_failures;
drop table if exists pgvec.embedding_runs;
