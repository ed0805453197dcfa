-- pgvec.describe_table -- the comments of a collection's table and columns, for psql's \d+ and for generated API pages.
create or replace function pgvec.describe_table(relation regclass)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
begin
  execute format('comment on table %s is %L', relation, 'A collection of pgvec-admin: searched by match_documents and its siblings.');
  for item in
    select *
      from (values ('id', 'Any text that identifies the row; a random uuid where none is given.'),
                   ('tenant_id', 'Whose row it is; the only tenant of whoever inserts it, where none is given.'),
                   ('owner_id', 'The account with which the row is deleted; the user who inserts it, where none is given.'),
                   ('source', 'Where the text comes from: a file, a URL, the id of a whole document.'),
                   ('chunk_index', 'Place of this chunk within its source, from 0.'),
                   ('content', 'The text that is searched and embedded.'),
                   ('metadata', 'What filters look at.'),
                   ('language', 'Text search configuration of this row; null means the collection''s.'),
                   ('embedding', 'The vector of the content; null until embedded.'),
                   ('embedded_hash', 'content_hash of the text that the embedding was made from.'),
                   ('content_hash', 'md5 of the content; the embedding is stale exactly when embedded_hash differs.'),
                   ('fts', 'Lexemes of the content, kept by trigger.'),
                   ('bm25', 'BM25 weights of the lexemes.'),
                   ('embedded_by', 'The number of the model that made the embedding (pgvec.models); null where that was not recorded.'),
                   ('created_at', 'When the row was inserted.'),
                   ('updated_at', 'When the row was last changed.')) as described (column_name, description)
     where exists (select from pg_catalog.pg_attribute as a where a.attrelid = relation and a.attname = described.column_name and not a.attisdropped)
  loop
    execute format('comment on column %s.%I is %L', relation, item.column_name, item.description);
  end loop;
end
$$;
comment on function pgvec.describe_table(regclass) is 'Writes the comments of a collection''s table and of its columns.';
revoke all on function pgvec.describe_table(regclass) from public;
