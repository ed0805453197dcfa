drop table if exists pgvec.posting_changes;
drop table if exists pgvec.posted_ids;
drop table if exists pgvec.postings;
alter type pgvec.keyword_query drop attribute if exists lexemes;
alter table pgvec.collections drop column if exists posted;
