alter table pgvec.collections drop column if exists scan_query;
alter table pgvec.collections drop column if exists search_query;
