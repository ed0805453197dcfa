alter table pgvec.embedding_usage drop column if exists seconds;
