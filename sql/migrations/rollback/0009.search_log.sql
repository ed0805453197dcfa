drop view if exists pgvec.stats;
drop table if exists pgvec.search_channel;
drop table if exists pgvec.search_log;
alter table pgvec.collections drop column if exists log_embeddings;
alter table pgvec.collections drop column if exists log_texts;
alter table pgvec.collections drop column if exists log_keep;
alter table pgvec.collections drop column if exists log_sample;
