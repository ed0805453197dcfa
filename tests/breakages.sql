-- Ways to break an installation, each with the checks that object to it, and what the first of them says.
-- A block is a way: its name, a line `area: check  what it says` for each check, and statements, each ending a line with a semicolon.
-- `repaired` says that verify --fix leaves nothing to object to.

-- a function is edited
--   functions: drift | pgvec.version is drifted
create or replace function pgvec.version() returns text language sql stable parallel safe set search_path = '' as 'select ''9''';

-- a function is dropped
--   functions: drift | match_vectors is missing
--   repaired
drop function public.match_vectors;

-- a migration is forgotten
--   migrations: migrations | 0010.verdicts is pending
--   repaired
delete from pgvec._yoyo_migration where migration_id like '0010%';

-- a migration was another text
--   migrations: migrations | 0001.engine is altered
update pgvec.migration_files set sha256 = 'x' where id like '0001%';

-- a newer release was here
--   migrations: migrations | 9999.later is unknown
insert into pgvec._yoyo_migration (migration_hash, migration_id) values ('x', '9999.later');

-- somebody's function has the name of one of ours
--   functions: overloads | 2 functions are called public.match_documents
--   functions: drift
--   privileges: grants
create function public.match_documents(question text) returns text language sql set search_path = '' as 'select question';

-- a search_path is reset
--   functions: search_path | pgvec.version() has no search_path
--   functions: drift
--   repaired
alter function pgvec.version() reset search_path;

-- a search_path lets callers in
--   functions: search_path | pgvec.allowed_tenants() has search_path public
--   functions: drift
--   repaired
alter function pgvec.allowed_tenants() set search_path = public, pg_catalog;

-- a function of the API runs as its owner
--   functions: definer | runs as its owner
--   functions: drift
--   repaired
alter function public.suggest_query(text, text, uuid) security definer;

-- a function is somebody else's
--   functions: owner | pgvec.purge_tenant(uuid) belongs to pgvec_writer
alter function pgvec.purge_tenant(uuid) owner to pgvec_writer;

-- a function is everybody's
--   privileges: grants | pgvec.drop_collection(text) is for PUBLIC: execute
--   repaired
grant execute on function pgvec.drop_collection(text) to public;

-- a table is everybody's
--   privileges: grants | pgvec.lexemes is for PUBLIC: select
--   privileges: engine tables
--   notes: strangers
--   repaired
grant select on pgvec.lexemes to public;

-- the schema is everybody's
--   privileges: grants | pgvec is for PUBLIC
--   repaired
grant create on schema pgvec to public;

-- a collection is everybody's
--   privileges: grants | public.documents is for PUBLIC: select
--   repaired
grant select on documents to public;

-- readers may read who belongs where
--   privileges: engine tables | pgvec_reader has select on pgvec.memberships
--   repaired
grant select on pgvec.memberships to pgvec_reader;

-- readers may write the registry
--   privileges: engine tables | pgvec_reader has select, update on pgvec.collections
--   repaired
grant update on pgvec.collections to pgvec_reader;

-- readers may not search
--   documents: readers | pgvec_reader finds nothing by: select from public.match_documents
--   notes: readers
revoke execute on function public.match_documents from pgvec_reader;

-- readers may not use the engine
--   documents: readers | pgvec_reader finds nothing
--   notes: readers
revoke usage on schema pgvec from pgvec_reader;

-- readers may not read
--   documents: readers | pgvec_reader may not read public.documents
revoke select on documents from pgvec_reader;

-- readers may read a column of a partition
--   notes: writers | pgvec_reader may select
--   privileges: engine tables
--   repaired
grant select (content) on pgvec.notes_p0 to pgvec_reader;

-- a column of a table is everybody's
--   privileges: grants | pgvec.memberships is for PUBLIC: select
--   privileges: engine tables
--   repaired
grant select (tenant_id) on pgvec.memberships to public;

-- rls is off
--   documents: rls | has no row level security
--   repaired
alter table documents disable row level security;

-- rls is off where there are tenants
--   notes: rls | public.notes has no row level security
--   notes: strangers
--   repaired
alter table notes disable row level security;

-- a policy is dropped
--   documents: policies | policy read_all is missing
--   documents: readers
--   repaired
drop policy read_all on documents;

-- a policy of tenants lets all in
--   notes: policies | policy read_all is not that of access tenant
--   notes: strangers
--   repaired
alter policy read_all on notes using (true);

-- a policy is added to those of tenants
--   notes: policies | policy planted lets in more than tenants
--   notes: strangers
create policy planted on notes for select using (true);

-- readers may truncate
--   documents: writers | pgvec_reader may truncate
--   repaired
grant truncate on documents to pgvec_reader;

-- readers may read a partition
--   privileges: engine tables | pgvec.notes_p0
--   notes: writers
--   repaired
grant select on pgvec.notes_p0 to pgvec_reader;

-- a policy asks once a row
--   jobs: initplan | policy slow calls a function for each row
alter table jobs enable row level security;
create policy slow on jobs using (current_setting('app.user', true) = title);

-- a build of an index failed
--   documents: invalid index | documents_source_idx is of a build that failed
--   repaired
update pg_index set indisvalid = false where indexrelid = 'documents_source_idx'::regclass;

-- an index is there twice
--   documents: duplicate index | documents_fts_idx and public.more are the same
create index more on documents using gin (fts);

-- the index of filters is gone
--   documents: missing index | none on metadata
--   repaired
drop index documents_metadata_idx;

-- the index of words is gone
--   documents: missing index | none on fts
--   repaired
drop index documents_fts_idx;

-- the index of stale rows is gone
--   documents: missing index | none on stale
--   repaired
drop index documents_stale_idx;

-- many vectors have no index
--   documents: missing index | none on embedding
select pg_temp.add_rows(26000);
drop index documents_embedding_idx;
select pgvec.note_index('documents');

-- an index serves no search
--   documents: unused index | second serves no search
create index second on documents using hnsw (embedding extensions.vector_l2_ops);

-- the index that searches remember is another
--   documents: noted index | documents_embedding_idx is gone, or another
--   repaired
drop index documents_embedding_idx;
create index documents_embedding_idx on documents using hnsw (embedding extensions.vector_cosine_ops);

-- an index is far larger than its rows
--   documents: bloated index | and anew would be
select pg_temp.add_rows(6000);
delete from documents where id like 'more%' and length(id) > 7;
select pg_stat_force_next_flush();
vacuum analyze documents;
select pgvec.refresh_statistics('documents');

-- the planner may not use indexes
--   server: planner | enable_indexscan is off
do $$ begin execute format('alter database %I set enable_indexscan = off', current_database()); end $$;

-- a search does not use its index
--   documents: plan | no use for public.documents_embedding_idx
--   server: planner
select pg_temp.add_rows(26000);
do $$ begin execute format('alter database %I set enable_indexscan = off', current_database()); end $$;

-- a trigger is disabled
--   documents: triggers | documents_maintain of public.documents is disabled
--   repaired
alter table documents disable trigger documents_maintain;

-- a trigger is gone
--   notes: triggers | notes_count_insert of public.notes is gone
--   repaired
drop trigger notes_count_insert on notes;

-- the triggers of an adopted table are off
--   jobs: triggers | jobs_maintain of public.jobs is disabled
--   repaired
alter table jobs disable trigger jobs_maintain;

-- the vectors are others
--   documents: table | halfvec(8) and not vector(8)
drop index documents_embedding_idx;
alter table documents alter column embedding type extensions.halfvec(8);
select pgvec.note_index('documents');

-- the primary key is gone
--   documents: table | has no primary key
alter table documents drop constraint documents_pkey;

-- the table is gone
--   documents: table | its table is gone
drop table documents;

-- a zero vector was written past the triggers
--   documents: vectors | 1 zero or NaN vectors in 300 rows
set session_replication_role = replica;
update documents set embedding = '[0,0,0,0,0,0,0,0]' where id = '1';

-- a text was written past the triggers
--   documents: hashes | content_hash of 1 of 300 rows
--   documents: lexemes
set session_replication_role = replica;
update documents set content = 'other words' where id = '1';

-- lexemes are of another language
--   documents: lexemes | fts of 300 of 300 rows
--   documents: weights
--   repaired
set session_replication_role = replica;
update documents set fts = to_tsvector('simple', content);

-- weights are gone
--   documents: weights | bm25 of 1 of 300 rows
--   repaired
set session_replication_role = replica;
update documents set bm25 = null where id = '1';

-- rows have no embedding
--   documents: rows | 300 rows, 2 without embedding, 0 stale
update documents set embedding = null where id in ('1', '2');

-- an embedding is older than its text
--   documents: rows | 300 rows, 0 without embedding, 1 stale
update documents set content = 'newer' where id = '1';

-- texts repeat
--   documents: duplicates | of 300 rows repeat the text of another
update documents set content = 'text number 0 about fish', embedded_hash = md5('text number 0 about fish') where id < '2';

-- word counts are gone
--   documents: keyword statistics | keyword statistics count 0 rows, there are 300
--   repaired
delete from pgvec.text_totals where collection = 'documents';

-- word counts are old
--   documents: keyword statistics | keyword statistics 25 % behind
--   repaired
update pgvec.collections set settings = '{"live_statistics": 10}' where name = 'documents';
insert into documents (id, content, embedding) select 'more ' || i, 'word ' || i, '[1,1,1,1,1,1,1,1]' from generate_series(1, 100) as i;

-- the planner has old statistics
--   documents: analyze | rows changed since it was analyzed
--   repaired
alter table documents set (autovacuum_enabled = off);
insert into documents (id, content, embedding)
select 'more ' || i, format('text number %s about fish', i + 1000), array[i % 97, i % 89, 1, 1, 1, 2, 3, 4]::real[]::extensions.vector
  from generate_series(1, 1500) as i;

-- dead rows stay
--   documents: vacuum | dead rows beside 2300
--   repaired
select pg_temp.add_rows(2000);
alter table documents set (autovacuum_enabled = off);
update documents set source = 'a';
select pg_stat_force_next_flush();
analyze documents;

-- memory for maintenance is small
--   server: maintenance_work_mem | maintenance_work_mem is 2048 kB, the HNSW index of documents needs
select pg_temp.add_rows(6000);
do $$ begin execute format('alter database %I set maintenance_work_mem = ''2MB''', current_database()); end $$;

-- pgvector is old
--   extension: pgvector | pgvector 0.7.4 is too old
update pg_extension set extversion = '0.7.4' where extname = 'vector';

-- a text search configuration is gone
--   notes: table | there is no text search configuration house
--   notes: verify_access
--   notes: verify_rows
--   notes: verify_search
create text search configuration public.house (copy = english);
update pgvec.collections set language = 'house' where name = 'notes';
drop text search configuration public.house;
