alter table pgvec.collections drop column if exists word_rules;
