create index if not exists lexemes_idx on pgvec.lexemes (collection, tenant, lexeme) include (documents);
drop index if exists pgvec.lexemes_pattern_idx;
drop table if exists pgvec.synonyms;
update pgvec.collections set settings = settings - 'synonyms' where settings ? 'synonyms';
drop type if exists pgvec.expansion cascade;
alter type pgvec.search_request drop attribute if exists reading;
