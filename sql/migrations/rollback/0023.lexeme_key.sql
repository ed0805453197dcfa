alter table pgvec.lexemes drop constraint lexemes_pkey, add primary key (collection, tenant, lexeme, part) include (documents);
