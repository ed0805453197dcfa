select pgvec.create_collection('documents', 3);
insert into documents (id, source, chunk_index, content, metadata, embedding) values
  ('cat', 'pets.md', 0, 'The cat sat on the mat.', '{"lang": "en", "year": 2020, "published": "2020-01-31", "tags": ["pets"]}', '[12, 5, 0]'),
  ('dog', 'pets.md', 1, 'The dog chased the cat.', '{"lang": "en", "year": 2021, "published": 1e400}', '[4, 3, 0]'),
  ('emu', 'birds.md', 2147483647, 'The emu ran away.', '{"lang": "de", "published": "2020-13-45"}', '[3, 4, 0]'),
  ('owl', null, null, '', '{"a.b": {"c\"d": 1}, "year": "2020", "path": "a\\b%_c"}', null);
create index documents_embedding_idx on documents using hnsw (embedding extensions.vector_cosine_ops);
select pgvec.note_index('documents');
select pgvec.create_collection('halves', 3, distance => 'l2', storage => 'halfvec');
insert into halves (id, content, embedding) values ('one', 'one', '[1, 0, 0]');
select pgvec.create_collection('notes', 2, access => 'tenant');
insert into notes (tenant_id, id, content, embedding) values
  ('00000000-0000-4000-8000-00000000000a', 'ours', 'a note of ours', '[1, 0]'),
  ('00000000-0000-4000-8000-00000000000b', 'theirs', 'a note of theirs', '[0, 1]');
select pgvec.create_collection('private', 3, access => 'policy');
create domain grade as text check (value in ('junior', 'senior'));
create table jobs (id bigint primary key, title text, salary int, rate float8, posted date, level grade, place point, embedding extensions.vector(3));
insert into jobs values (1, 'Cook', 30000, 1.5, '2026-01-31', 'junior', '(1, 2)', '[1, 0, 0]');
select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{title}');
select pgvec.create_collection('gone', 2, access => 'tenant');
drop table gone;
create table loose (a int, b text);
create table paired (a int, b int, content text, primary key (a, b));
create table plain (id int primary key, content text, amount int, vague extensions.vector, embedding text, "Odd ""name""" text, code point);
create view looking as select 1 as id, 'text'::text as content;
create sequence counter;
select pgvec.create_collection('heap', 3);
