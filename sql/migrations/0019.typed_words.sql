-- depends: 0018.embedding_pace
-- What people type is not always a word that some row has: typing errors, beginnings of words, other words for the same.

-- an index that serves beginnings as well as whole lexemes, whatever the database's collation
create index if not exists lexemes_pattern_idx on pgvec.lexemes (collection, tenant, lexeme text_pattern_ops) include (documents);
drop index if exists pgvec.lexemes_idx;

create table if not exists pgvec.synonyms (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  word       text not null,
  lexeme     text not null,
  key        tsquery not null,
  synonyms   text[] not null,
  primary key (collection, word)
);

create index if not exists synonyms_lexeme_idx on pgvec.synonyms (collection, lexeme);

comment on table  pgvec.synonyms            is 'Other words for words of a query: see pgvec.set_synonyms.';
comment on column pgvec.synonyms.collection is 'The collection.';
comment on column pgvec.synonyms.word       is 'The word, or the words, that somebody types.';
comment on column pgvec.synonyms.lexeme     is 'The first lexeme of word, by which it is found.';
comment on column pgvec.synonyms.key        is 'The lexemes of word, one after the other.';
comment on column pgvec.synonyms.synonyms   is 'What else to search for then.';

revoke all on table pgvec.synonyms from public;

do $$
begin
  if to_regtype('pgvec.expansion') is null then
    create type pgvec.expansion as (lexeme text, documents float8, weight float8, operand text);
  end if;
  if not exists (select from pg_catalog.pg_attribute as a
                  where a.attrelid = (select t.typrelid from pg_catalog.pg_type as t where t.oid = 'pgvec.search_request'::regtype)
                    and a.attname = 'reading') then
    alter type pgvec.search_request add attribute reading jsonb;
  end if;
end
$$;

comment on type pgvec.expansion is
  'A lexeme to search for besides those of a query, how many rows have it, its weight, and its operand in a tsquery; a phrase has an operand, but no lexeme.';
comment on type pgvec.search_request is
  'A search within the engine: the registry row; the tenants whose rows it is for (null where rows belong to none); whether the current user searches them directly '
  '(pgvec.finds_alone); the query vector, the rows wanted, the distance, '
  'the condition that rows d meet (of pgvec.filter_condition; it reads bound as $2), the least similarity; for words the query and the ranking; '
  'for hybrid_search its arguments of these names, depth being candidates; how the text is read (pgvec.reading). '
  'It holds SQL text: no function that runs as its owner takes one from a caller.';

revoke all on type pgvec.expansion from public;
