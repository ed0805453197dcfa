-- The functions that take steps go with their type; the release that has none brings its own.
drop type if exists pgvec.search_step cascade;
drop type if exists pgvec.hit cascade;
alter table pgvec.collections drop column if exists search_method;
alter table pgvec.collections drop column if exists search_kind;
alter table pgvec.collections drop column if exists search_index_oid;
alter table pgvec.collections drop column if exists search_index;
