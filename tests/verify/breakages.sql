-- Ways to break an installation, each with the checks that object to it, and what the first of them says.
-- A block is a way: its name, a line `area: check  what it says` for each check, and statements, each ending a line with a semicolon.
-- `repaired` says that verify --fix leaves nothing to object to; `alone`, that with it others cannot be told. `undone: ` is a statement that ends it, where it is of the whole server.

-- a function is edited
--   functions: drift | pgvec.version is drifted
create or replace function pgvec.version() returns text language sql stable parallel safe set search_path = pg_catalog, pg_temp as 'select ''9''';

-- a function is dropped
--   functions: drift | match_vectors is missing
--   repaired
drop function public.match_vectors;

-- a migration is forgotten
--   migrations: migrations | 0010.verdicts is pending
--   repaired
--   alone
delete from pgvec._yoyo_migration where migration_id like '0010%';

-- a migration was another text
--   migrations: migrations | 0001.engine is altered
--   alone
update pgvec.migration_files set sha256 = 'x' where id like '0001%';

-- a newer release was here
--   migrations: migrations | 9999.later is unknown
--   alone
insert into pgvec._yoyo_migration (migration_hash, migration_id) values ('x', '9999.later');

-- somebody's function has the name of one of ours
--   functions: overloads | 2 functions are called public.match_documents
--   functions: drift
--   privileges: grants
create function public.match_documents(question text) returns text language sql set search_path = pg_catalog, pg_temp as 'select question';

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
--   alone
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
select pg_temp.add_rows(26000, 'm = 2, ef_construction = 4');
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
--   documents: bloated index | and rebuilt would be
select pg_temp.add_rows(6000);
delete from documents where id like 'more%' and length(id) > 7;
select pg_stat_force_next_flush();
vacuum analyze documents;
select pgvec.refresh_statistics('documents');

-- the planner may not use indexes
--   server: planner | enable_indexscan is off
do $$ begin execute format('alter database %I set enable_indexscan = off', current_database()); end $$;

-- a search does not use its index
--   documents: plan | the plan of a search does not use public.documents_embedding_idx
--   server: planner
select pg_temp.add_rows(26000, 'm = 2, ef_construction = 4');
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

-- a trigger of the queue is gone
--   documents: triggers | trigger documents_queue_update of public.documents is gone
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
drop trigger documents_queue_update on documents;

-- a collection has a model and no queue
--   notes: triggers | trigger notes_queue_delete of public.notes is gone
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'notes';

-- a trigger of the queue is disabled
--   notes: triggers | trigger notes_queue_insert of public.notes is disabled
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'notes';
select pgvec.keep_queue('notes');
alter table notes disable trigger notes_queue_insert;

-- the triggers of the queue of an adopted table are off
--   jobs: triggers | trigger jobs_queue_delete of pgvec.side_jobs is disabled
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'jobs';
select pgvec.keep_queue('jobs');
alter table pgvec.side_jobs disable trigger jobs_queue_delete;

-- a trigger of the queue is of another collection
--   documents: triggers | trigger documents_queue_insert of public.documents is of another collection
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
create or replace trigger documents_queue_insert after insert on documents referencing new table as new_rows for each statement execute function pgvec.enqueue_changes('notes', 'id');

-- a trigger of the queue fires on other changes
--   documents: triggers | trigger documents_queue_update of public.documents fires on other changes
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
create or replace trigger documents_queue_update after insert on documents referencing new table as new_rows for each statement execute function pgvec.enqueue_changes('documents', 'id');

-- a trigger of the queue lacks its rows
--   documents: triggers | trigger documents_queue_delete of public.documents lacks its transition tables
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
create or replace trigger documents_queue_delete after delete on documents for each statement execute function pgvec.enqueue_changes('documents', 'id');

-- a trigger of the queue calls another function
--   documents: triggers | trigger documents_queue_truncate of public.documents calls pgvec.count_lexemes
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
create or replace trigger documents_queue_truncate after truncate on documents for each statement execute function pgvec.count_lexemes('documents', 'id');

-- entries of the queue are of rows that are gone
--   documents: queue | 2 of 3 entries are of rows that are gone
--   documents: rows
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
update documents set content = content || '!' where id in ('1', '2', '3');
alter table documents disable trigger documents_queue_delete;
delete from documents where id in ('1', '2');
alter table documents enable trigger documents_queue_delete;

-- entries of the queue are of another tenant
--   notes: queue | 1 of 1 entries are of rows that are gone
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'notes';
select pgvec.keep_queue('notes');
insert into pgvec.embedding_jobs (collection, id, tenant, content_hash) values ('notes', '1', '00000000-0000-0000-0000-000000000000', 'x');

-- entries of the queue of an adopted table are of rows that are gone
--   jobs: queue | 1 of 1 entries are of rows that are gone
--   repaired
update pgvec.collections set model = 'openai:test' where name = 'jobs';
select pgvec.keep_queue('jobs');
insert into pgvec.embedding_jobs (collection, id, tenant, content_hash, due_at) values ('jobs', '4711', pgvec.no_tenant(), 'x', 'infinity');

-- entries are left of a queue that is none
--   documents: queue | 1 entries, and no model
--   repaired
insert into pgvec.embedding_jobs (collection, id, tenant, content_hash) values ('documents', '1', pgvec.no_tenant(), 'x');

-- a lease ends far in the future
--   documents: leases | 1 rows are claimed until
--   documents: rows
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
update documents set content = content || '!' where id = '1';
select from pgvec.claim_jobs('documents', 1, '3 years');

-- a row that failed waits far into the future
--   documents: leases | 1 rows wait until
--   documents: rows
update pgvec.collections set model = 'openai:test' where name = 'documents';
select pgvec.keep_queue('documents');
update documents set content = content || '!' where id = '1';
update pgvec.embedding_jobs set due_at = now() + interval '2 days', attempts = 1, reason = 'refused';

-- rows do not go with their accounts any more
--   documents: accounts | column owner_id does not refer to public.people any more
--   repaired
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
alter table documents drop constraint documents_owner_fkey;

-- rows keep their accounts from going
--   documents: accounts | documents_owner_fkey does not delete rows with their account
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
alter table documents drop constraint documents_owner_fkey, add constraint documents_owner_fkey foreign key (owner_id) references people;

-- rows were not checked for their accounts
--   documents: accounts | documents_owner_fkey was not checked
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
alter table documents drop constraint documents_owner_fkey, add constraint documents_owner_fkey foreign key (owner_id) references people on delete cascade not valid;

-- the deletion of accounts is switched off
--   documents: accounts | the triggers of documents_owner_fkey are disabled; no trigger of public.people deletes searches
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
alter table people disable trigger all;

-- the index of accounts is gone
--   documents: accounts | no index on owner_id
--   repaired
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
drop index documents_owner_idx;

-- the trigger of accounts is gone
--   notes: accounts | no trigger of public.people deletes searches and memberships
--   repaired
create table people (id uuid primary key);
insert into people select distinct tenant_id from notes;
select pgvec.set_owner('notes', 'people', 'tenant_id');
drop trigger pgvec_forget_account on people;

-- the table of accounts is gone
--   documents: accounts | the table of its accounts is gone
create table people (id uuid primary key);
select pgvec.set_owner('documents', 'people');
drop table people cascade;

-- an index was tuned for fewer rows
--   documents: tuned index | tuned for 100 rows, there are 
--   repaired
select pg_temp.add_rows(3000);
vacuum analyze documents;
update pgvec.collections set settings = settings || '{"tuned": {"rows": 100}}' where name = 'documents';

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

-- vectors of two models
--   documents: models | 2 rows have a vector of another model than openai:ours: 2 of local:theirs
select pgvec.bind_model('documents', 'openai:ours', 8);
update documents set embedded_by = pgvec.model_id('local:theirs') where id in ('1', '2');

-- word counts are gone
--   documents: keyword statistics | keyword statistics count 0 rows, there are 300
--   repaired
delete from pgvec.text_totals where collection = 'documents';

-- word counts are old
--   documents: keyword statistics | keyword statistics 25 % behind
--   repaired
update pgvec.collections set settings = '{"live_statistics": 10}' where name = 'documents';
insert into documents (id, content, embedding) select 'more ' || i, 'word ' || i, '[1,1,1,1,1,1,1,1]' from generate_series(1, 100) as i;

-- vectors of words are those of another model
--   documents: fitted vectors | what was fitted is not used
--   repaired
insert into pgvec.fits (collection, model, dimensions, rows, lexemes, length, mean) values ('documents', 'local:other', 8, 300, 1, 1, '[1,1,1,1,1,1,1,1]');

-- the planner has old statistics
--   documents: analyze | rows changed since it was analyzed
--   repaired
update pgvec.collections set settings = '{"ef_search": 200}' where name = 'documents';
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

-- a view shows the rows of tenants
--   notes: views | public.peek shows its rows as its owner to pgvec_reader
create view peek as select tenant_id, content from notes;
grant select on peek to pgvec_reader;

-- a view over a view shows the rows of tenants
--   notes: views | public.peek shows its rows as its owner to pgvec_reader
create view below as select * from notes;
create view peek as select content from below;
grant select (content) on peek to pgvec_reader;

-- a view lets readers write into the rows of tenants
--   notes: views | public.door shows its rows as its owner to pgvec_reader
create view door as select tenant_id, id, content from notes;
grant insert on door to pgvec_reader;

-- a view over a partition shows the rows of tenants
--   notes: views | public.peek shows its rows as its owner to pgvec_reader, pgvec_writer
create view peek as select content from pgvec.notes_p1;
grant select on peek to public;

-- a materialized view is a copy of the rows of tenants
--   notes: views | public.copied is a copy that pgvec_writer may read
create materialized view copied as select content from notes;
grant select on copied to pgvec_writer;

-- a materialized view is a copy of what a view shows
--   notes: views | public.copied is a copy that pgvec_reader may read
create view asked as select content from notes;
alter view asked set (security_invoker = true);
create materialized view copied as select content from asked;
grant select on copied to pgvec_reader;

-- the view of an adopted table is replaced by one that reads the table as its owner
--   jobs: views | pgvec.adopted_jobs shows its rows as its owner to pgvec_reader, pgvec_writer
--   repaired
create or replace view pgvec.adopted_jobs as
  select id::text, null::text as source, null::int as chunk_index, title as content, '{}'::jsonb as metadata, null::text as language, embedding,
         null::text as embedded_hash, null::text as content_hash, null::tsvector as fts, null::extensions.sparsevec(268435456) as bm25
    from public.jobs;

-- a view shows who belongs where
--   privileges: engine views | public.members shows tables of the engine to pgvec_reader
create view members as select * from pgvec.memberships;
grant select on members to pgvec_reader;

-- somebody's function reads the rows of tenants as its owner
--   functions: definer of others | all_notes() runs as postgres, and names what is protected
create function public.all_notes() returns setof text language sql stable security definer set search_path = pg_catalog, pg_temp as 'select content from public.notes';

-- somebody's function says who is calling
--   functions: definer of others | become(uuid) runs as postgres, and says who is calling
create function public.become(tenant uuid) returns text language sql security definer set search_path = pg_catalog, pg_temp
  as 'select set_config(''app.tenant_id'', tenant::text, true)';

-- somebody's function runs any SQL as its owner
--   functions: definer of others | run(text) runs as postgres, and runs SQL that cannot be told
create function public.run(query text) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as 'begin execute query; end';

-- somebody's function that callers may execute runs as its owner
--   functions: definer of others | counted() runs as postgres, and callers may execute it
create function public.counted() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select count(*) from pg_class';

-- somebody's function in schema pgvec runs as its owner
--   functions: definer of others | pgvec.helper() runs as postgres, and names what is protected
create function pgvec.helper() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select count(*) from pgvec.memberships';
revoke all on function pgvec.helper() from public;
grant execute on function pgvec.helper() to pgvec_reader;

-- a function is said to be leakproof
--   functions: leakproof | told(text) is marked leakproof
create function public.told(word text) returns boolean language plpgsql leakproof set search_path = pg_catalog, pg_temp as 'begin raise notice ''%'', word; return true; end';

-- an operator of vectors is said to be leakproof
--   functions: leakproof | cosine_distance
do $$ begin execute 'alter function extensions.cosine_distance(extensions.vector, extensions.vector) leakproof'; end $$;

-- an event trigger runs a weaker role's function
--   functions: event triggers | event trigger watch runs public.watched() of pgvec_writer
create function public.watched() returns event_trigger language plpgsql set search_path = pg_catalog, pg_temp as 'begin end';
alter function public.watched() owner to pgvec_writer;
create event trigger watch on ddl_command_end execute function public.watched();

-- a role of callers bypasses row level security
--   privileges: role attributes | pgvec_writer has bypassrls
--   notes: strangers
--   undone: alter role pgvec_writer nobypassrls
alter role pgvec_writer bypassrls;

-- a role of callers is a superuser
--   privileges: role attributes | pgvec_reader has superuser
--   notes: strangers
--   undone: alter role pgvec_reader nosuperuser
alter role pgvec_reader superuser;

-- a role of callers may make roles
--   privileges: role attributes | pgvec_reader has createrole
--   undone: alter role pgvec_reader nocreaterole
alter role pgvec_reader createrole;

-- a role of callers may read the log of changes
--   privileges: role attributes | pgvec_reader has replication
--   undone: alter role pgvec_reader noreplication
alter role pgvec_reader replication;

-- readers are members of the owner's role
--   privileges: memberships | pgvec_reader is a member of house_owner
--   undone: drop role house_owner
create role house_owner superuser;
grant house_owner to pgvec_reader;

-- readers are members of a role that bypasses row level security
--   privileges: memberships | pgvec_reader is a member of house_backend
--   undone: drop role house_backend
create role house_backend bypassrls;
grant house_backend to pgvec_reader;

-- readers are members of a predefined role
--   privileges: memberships | pgvec_reader is a member of pg_read_all_data
--   privileges: engine tables
--   notes: strangers
--   undone: revoke pg_read_all_data from pgvec_reader
grant pg_read_all_data to pgvec_reader;

-- readers are members of those who write
--   privileges: memberships | pgvec_reader is a member of pgvec_writer
--   undone: revoke pgvec_writer from pgvec_reader
grant pgvec_writer to pgvec_reader;

-- a trigger copies rows of tenants
--   notes: triggers of others | trigger copying of public.notes calls public.copy_row()
create table copies (content text);
create function public.copy_row() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
  as 'begin insert into public.copies values (new.content); return new; end';
create trigger copying after insert or update on notes for each row execute function public.copy_row();

-- a trigger of ours calls another function
--   documents: triggers | trigger documents_maintain of public.documents calls public.copy_row and not pgvec.maintain_document
--   documents: triggers of others
--   repaired
create function public.copy_row() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as 'begin return new; end';
create or replace trigger documents_maintain before insert or update on documents for each row execute function public.copy_row();

-- a rule copies rows of tenants
--   documents: rules | rule copying of public.documents runs on insert
create table copies (content text);
create rule copying as on insert to documents do also insert into copies values (new.content);

-- a publication sends the rows of tenants
--   notes: publications | publication outwards sends the rows of all tenants to its subscribers
create publication outwards for table notes;

-- a publication sends all tables
--   notes: publications | publication outwards sends the rows of all tenants to its subscribers
create publication outwards for all tables;

-- the publication of Supabase Realtime has a table of tenants
--   notes: publications | supabase_realtime shows the tenant and id of deleted rows to everybody who listens
create publication supabase_realtime for table notes;

-- an index is unique across tenants
--   notes: unique indexes | pgvec.notes_p0_unique is unique across tenants
create unique index notes_p0_unique on pgvec.notes_p0 (id);

-- an exclusion constraint holds across tenants
--   notes: unique indexes | is unique across tenants
alter table pgvec.notes_p1 add constraint once exclude using btree (content with =);

-- a table that readers may read inherits the rows of a collection
--   documents: inheritance | pgvec_reader may read public.trap, and its rows by it
create table trap (content text not null default '');
alter table documents inherit trap;
grant select on trap to pgvec_reader;

-- readers may read a child of a table
--   documents: writers | pgvec_reader may select public.child
--   repaired
create table child () inherits (documents);
do $$ begin execute format('alter table child owner to %I', (select tableowner from pg_tables where tablename = 'documents')); end $$;
grant select on child to pgvec_reader;

-- a child of a table lies on another server
--   documents: inheritance | public.far_rows lies on server elsewhere
--   documents: verify_rows
--   documents: verify_queue
--   documents: verify_statistics
--   documents: verify_access
--   documents: verify_search
create foreign data wrapper far;
create server elsewhere foreign data wrapper far;
create foreign table far_rows () inherits (documents) server elsewhere;

-- a foreign table reads the table of tenants
--   privileges: foreign tables | pgvec_reader may read public.mirror, which is notes on server loopback
create foreign data wrapper far;
create server loopback foreign data wrapper far;
create foreign table mirror (content text) server loopback options (table_name 'notes');
grant select on mirror to pgvec_reader;

-- an index calls a weaker role's function
--   documents: code of others | index public.documents_odd calls public.odd(text), which belongs to pgvec_writer
--   documents: readers
create function public.odd(word text) returns text language sql immutable set search_path = pg_catalog, pg_temp as 'select word';
create index documents_odd on documents (public.odd(source));
alter function public.odd(text) owner to pgvec_writer;

-- the tenant of a row that names none is made up
--   notes: table | column tenant_id has the default
alter table notes alter column tenant_id set default '00000000-0000-0000-0000-000000000001';

-- row level security is forced on the owner
--   notes: rls | public.notes forces row level security on its owner
--   repaired
alter table notes force row level security;

-- rls is off where lexemes of an adopted table are
--   jobs: rls | pgvec.side_jobs has no row level security
--   repaired
alter table pgvec.side_jobs disable row level security;

-- a policy is added to the lexemes of an adopted table
--   jobs: policies | policy planted of pgvec.side_jobs lets in more
create policy planted on pgvec.side_jobs for select using (true);

-- readers may write the lexemes of an adopted table
--   jobs: writers | pgvec_reader may update pgvec.side_jobs
--   repaired
grant update on pgvec.side_jobs to pgvec_reader;

-- readers may let others read
--   documents: writers | pgvec_reader may let others select public.documents
--   repaired
grant select on documents to pgvec_reader with grant option;

-- readers may make triggers
--   documents: writers | pgvec_reader may trigger
--   repaired
grant trigger on documents to pgvec_reader;

-- readers may call what is for operators
--   privileges: operator functions | pgvec_reader may execute pgvec.purge_tenant(uuid)
--   repaired
grant execute on function pgvec.purge_tenant(uuid) to pgvec_reader;

-- readers may call what is for writers
--   privileges: operator functions | pgvec_reader may execute pgvec.begin_staging(text,uuid)
--   repaired
grant execute on function pgvec.begin_staging(text, uuid) to pgvec_reader;

-- an application may call what is for operators
--   privileges: operator functions | house_app may execute pgvec.drop_collection(text)
--   undone: drop owned by house_app; drop role house_app
create role house_app;
grant execute on function pgvec.drop_collection(text) to house_app;

-- somebody may create in the engine's schema
--   privileges: schemas | house_app may create in schema pgvec
--   repaired
--   undone: drop owned by house_app; drop role house_app
create role house_app;
grant create on schema pgvec to house_app;

-- readers may create in the engine's schema as members
--   privileges: schemas | house_app may create in schema pgvec, and so may pgvec_reader, a member
--   repaired
--   undone: drop owned by house_app; drop role house_app
create role house_app;
grant create on schema pgvec to house_app;
grant house_app to pgvec_reader;

-- readers may create where pgvector is
--   privileges: schemas | pgvec_reader may create in schema
do $$ begin execute format('grant create on schema %s to pgvec_reader', pgvec.vector_schema()); end $$;

-- readers may create in public
--   privileges: schemas | PUBLIC may create in schema public
grant create on schema public to public;

-- readers may make schemas
--   privileges: schemas | pgvec_writer may create in database
do $$ begin execute format('grant create on database %I to pgvec_writer', current_database()); end $$;

-- tables that will be made in the engine's schema are for readers
--   privileges: default privileges | pgvec_reader get select on tables
--   repaired
do $$ begin execute format('alter default privileges for role %I in schema pgvec grant select on tables to pgvec_reader',
  (select nspowner::regrole::text from pg_namespace where nspname = 'pgvec')); end $$;

-- readers may read the planner's statistics
--   privileges: catalog | pgvec_reader may select table pg_statistic
grant select on pg_catalog.pg_statistic to pgvec_reader;

-- readers may read files
--   privileges: catalog | pgvec_reader may execute function pg_read_file(text)
grant execute on function pg_catalog.pg_read_file(text) to pgvec_reader;

-- readers may switch triggers off
--   privileges: catalog | pgvec_reader may set session_replication_role
--   undone: revoke set on parameter session_replication_role from pgvec_reader
grant set on parameter session_replication_role to pgvec_reader;

-- the REST API exposes the engine
--   privileges: exposed schemas | the REST API exposes schema pgvec by pgrst.db_schemas of role pgvec_writer
do $$ begin execute format('alter role pgvec_writer in database %I set pgrst.db_schemas = ''public, pgvec''', current_database()); end $$;

-- the REST API shows plans
--   privileges: rest settings | has pgrst.db_plan_enabled = true: plans tell of rows that policies hide
do $$ begin execute format('alter database %I set pgrst.db_plan_enabled = ''true''', current_database()); end $$;

-- the secret of tokens is in the catalog
--   privileges: rest settings | pgrst.jwt_secret: every role that may run SQL can read it
do $$ begin execute format('alter database %I set pgrst.jwt_secret = ''secret''', current_database()); end $$;

-- strangers of the REST API bypass row level security
--   privileges: rest settings | pgrst.db_anon_role = house_backend: row level security does not apply to it
--   undone: drop role house_backend
create role house_backend bypassrls;
do $$ begin execute format('alter database %I set pgrst.db_anon_role = ''house_backend''', current_database()); end $$;

-- everybody is a tenant from the start
--   privileges: session settings | has app.tenant_id = 00000000-0000-0000-0000-000000000001
do $$ begin execute format('alter database %I set app.tenant_id = ''00000000-0000-0000-0000-000000000001''', current_database()); end $$;

-- everybody has a tenant, with whatever token
--   privileges: tenant hook | with a token that claims nothing it returns 00000000-0000-0000-0000-000000000001: everybody has that tenant
--   notes: strangers
create or replace function pgvec.current_tenants() returns uuid[] language sql stable set search_path = pg_catalog, pg_temp as $$ select array['00000000-0000-0000-0000-000000000001'::uuid] $$;

-- tenants come from a claim that verify was not told of
--   privileges: tenant hook | with the settings of pgvec.tenant_settings(tenant) it returns none, not the one tenant
--   notes: readers
create or replace function pgvec.current_tenants() returns uuid[] language sql stable set search_path = pg_catalog, pg_temp as $$ select array[(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org_id')::uuid] $$;

-- sessions begin without triggers
--   privileges: session settings | has session_replication_role = replica
do $$ begin execute format('alter database %I set session_replication_role = replica', current_database()); end $$;

-- somebody's function has the name of one within the engine
--   functions: overloads | 2 functions are called pgvec.caller
--   functions: drift
create function pgvec.caller(n int) returns name language sql set search_path = pg_catalog, pg_temp as 'select current_user';
revoke all on function pgvec.caller(int) from public;

-- the policy of the lexemes of an adopted table is gone
--   jobs: policies | policy follow_the_table of pgvec.side_jobs is missing
--   repaired
drop policy follow_the_table on pgvec.side_jobs;

-- the policy of the lexemes of an adopted table lets all in
--   jobs: policies | policy follow_the_table of pgvec.side_jobs lets in more
--   repaired
alter policy follow_the_table on pgvec.side_jobs using (true);

-- a column has a type of somebody's own
--   documents: table | column source is of type public.word
create domain public.word as text;
alter table documents alter column source type public.word;

-- a table of tenants is a weaker role's
--   notes: table owner | public.notes belongs to house_backend
--   notes: readers
--   undone: drop owned by house_backend cascade; drop role house_backend
create role house_backend;
alter table notes owner to house_backend;

-- a table is a weaker role's
--   documents: table owner | public.documents belongs to house_backend
--   documents: readers
--   undone: drop owned by house_backend cascade; drop role house_backend
create role house_backend;
alter table documents owner to house_backend;

-- a weaker role's table has a type of that role's
--   documents: readable | its rows were not read: policies or types of house_backend could run as
--   documents: table
--   documents: table owner
--   undone: drop owned by house_backend cascade; drop role house_backend
create role house_backend;
create domain public.word as text;
alter domain public.word owner to house_backend;
alter table documents alter column source type public.word;
alter table documents owner to house_backend;

-- a partition is a weaker role's
--   notes: table owner | pgvec.notes_p0 belongs to house_backend
--   notes: readers
--   undone: drop owned by house_backend cascade; drop role house_backend
create role house_backend;
alter table pgvec.notes_p0 owner to house_backend;

-- the planner knows the texts of tenants
--   notes: statistics | the planner knows what is in content
--   repaired
alter table notes alter column content set statistics 100;
analyze notes;

-- the planner knows a column that was added for the rows of tenants
--   notes: statistics | the planner knows what is in author of
alter table notes add column author text default 'ann';
analyze notes;
