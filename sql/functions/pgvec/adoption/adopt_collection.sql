-- pgvec.adopt_collection -- makes an existing table searchable as a collection.
-- The searches read it by a text that names its columns as they expect (pgvec.adopted_source). The table keeps its columns: lexemes and hashes are
-- in a side table, maintained by triggers, unless add_columns asks for them in the table itself. Filters whose keys are
-- columns become comparisons with these, which their own indexes serve. The caller's rights and row level security on the table
-- decide what is seen.
create or replace function pgvec.adopt_collection(
    name text,
    relation regclass,
    embedding_column text default 'embedding',
    content_columns text[] default '{content}',
    id_column text default null,
    metadata_column text default null,
    dimensions int default null,
    distance text default 'cosine',
    language text default 'english',
    model text default null,
    add_columns boolean default false)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
  key      record;
  vector   record;
  added    name[] := '{}'::name[];
  adopted  pgvec.adoptions;
  metadata constant text := case metadata_column when '' then null else coalesce(metadata_column, pgvec.adopted_metadata(relation, content_columns)) end;
begin
  perform pgvec.check_new_collection(name);
  perform pgvec.check_choice('distance', distance, '{cosine,l2,inner_product,l1}');
  configuration := pgvec.text_search_configuration(language);
  if model is not null then
    perform pgvec.check_model(model);
  end if;
  perform pgvec.check_adoption(relation, embedding_column, content_columns, metadata, add_columns);
  key := pgvec.adopted_key(relation, id_column);
  vector := pgvec.adopted_vector(relation, embedding_column, dimensions);

  if vector.is_new then
    execute format('alter table %s add column %I extensions.vector(%s)', relation, embedding_column, vector.dimensions);
    added := array[embedding_column];
  end if;
  if add_columns then
    execute format('alter table %s add column fts tsvector, add column bm25 extensions.sparsevec(268435456), '
                   'add column content_hash text, add column embedded_hash text', relation);
    added := added || '{fts,bm25,content_hash,embedded_hash}'::name[];
  end if;

  insert into pgvec.collections (name, relation, base, embedding_column, dimensions, distance, access, storage, language, model, word_rules)
  values (adopt_collection.name, adopt_collection.relation, adopt_collection.relation, adopt_collection.embedding_column,
          vector.dimensions, adopt_collection.distance, 'policy', vector.storage, configuration, adopt_collection.model, pgvec.word_rules());
  insert into pgvec.adoptions (collection, id_column, id_type, content_columns, metadata_column, added_columns)
  values (adopt_collection.name, key.column_name, key.column_type, adopt_collection.content_columns, metadata, added);
  adopted := pgvec.adopted(adopt_collection.name);  -- with the numbers of these columns
  update pgvec.adoptions as a
     set (base_oid, id_number, content_numbers, metadata_number, embedding_number, added_numbers)
         = (select adopted.base_oid, adopted.id_number, adopted.content_numbers, adopted.metadata_number, adopted.embedding_number, adopted.added_numbers)
   where a.collection = adopt_collection.name;

  perform pgvec.build_adoption(adopted, add_columns);
  perform pgvec.tell_adoption(adopted, metadata_column is not null);
  perform pg_notify('pgrst', 'reload schema');
  return relation;
end
$$;
comment on function pgvec.adopt_collection(text, regclass, text, text[], text, text, int, text, text, text, boolean) is
  'Makes an existing table a collection, searched by the same functions. embedding_column: a vector or halfvec column, or a new one (then dimensions). '
  'content_columns: the columns of the text, in order. id_column: default the primary key; bigint, int, uuid or text. metadata_column: a jsonb or json column; default the '
  'only one if its name is metadata, cmetadata, langchain_metadata or metadata_, else, or with an empty text, the rest of the row. '
  'add_columns: store lexemes and hashes in the table instead of a side table. Access is by the table''s own grants and policies. '
  'pgvec.release_collection undoes it. Returns the table. Raises PV004.';
revoke all on function pgvec.adopt_collection(text, regclass, text, text[], text, text, int, text, text, text, boolean) from public;
