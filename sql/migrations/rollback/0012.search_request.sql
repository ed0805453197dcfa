-- The functions that take a request go with its type; the release that has none brings its own.
drop type if exists pgvec.search_request cascade;
alter table pgvec.collections add column if not exists tenants uuid[] check (tenants is null);
