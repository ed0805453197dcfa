-- Tests in the database of what an application relies on: supabase test db, or pg_prove supabase/tests/*.sql.
-- Everything is created here and rolled back.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(16);

select has_table('pgvec', 'collections', 'the engine is installed');
select has_function('public', 'match_documents', 'with its functions');
select function_lang_is('public', 'hybrid_search', 'plpgsql', 'which are SQL''s own');
select is(
  (select count(*)::int
     from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where p.pronamespace = 'pgvec'::regnamespace
      and a.grantee = 0),
  0, 'nothing of it is for PUBLIC');

select pgvec.create_collection('tap_open', 3);
insert into public.tap_open (id, content, metadata, embedding)
values ('pool', 'a connection pool waits for a free connection', '{"lang": "en"}', '[1,0,0]'),
       ('index', 'an index is built over all rows', '{"lang": "en"}', '[0.8,0.6,0]'),
       ('tee', 'Tee zieht zwei Minuten', '{"lang": "de"}', '[0,0,1]');

select results_eq(
  $$ select id from match_documents('[1,0,0]', 2, collection => 'tap_open') $$,
  $$ values ('pool'), ('index') $$,
  'the nearest rows come first');
select results_eq(
  $$ select id from match_documents('[1,0,0]', 5, '{"lang": "de"}', collection => 'tap_open') $$,
  $$ values ('tee') $$,
  'a filter leaves the rows that match');
select results_eq(
  $$ select id from keyword_search('connection pool', collection => 'tap_open') $$,
  $$ values ('pool') $$,
  'words find texts');
select results_eq(
  $$ select id from hybrid_search('all rows', '[1,0,0]', 2, collection => 'tap_open') $$,
  $$ values ('index'), ('pool') $$,
  'words and vectors together');
select throws_ok(
  $$ select * from match_documents('[1,0]', collection => 'tap_open') $$,
  'PV002', null, 'a vector of other dimensions is refused');
select throws_ok(
  $$ select * from match_documents('[1,0,0]', collection => 'tap_opne') $$,
  'PV001', null, 'and so is a collection that is not there');

select pgvec.create_collection('tap_notes', 3, access => 'tenant');
insert into public.tap_notes (tenant_id, id, content, embedding)
values ('00000000-0000-4000-8000-00000000000a', 'ours', 'our meeting', '[1,0,0]'),
       ('00000000-0000-4000-8000-00000000000b', 'theirs', 'their meeting', '[1,0,0]');

set local role authenticated;
select throws_ok(
  $$ select * from match_documents('[1,0,0]', collection => 'tap_notes') $$,
  'PV006', null, 'who has no tenant is told so');
set local request.jwt.claims = '{"role": "authenticated", "app_metadata": {"tenant_id": "00000000-0000-4000-8000-00000000000a"}}';
select results_eq(
  $$ select id from match_documents('[1,0,0]', collection => 'tap_notes') $$,
  $$ values ('ours') $$,
  'a user finds the rows of the own tenant');
select results_eq(
  $$ select id from keyword_search('meeting', collection => 'tap_notes') $$,
  $$ values ('ours') $$,
  'by words as well');
select is((select count(*)::int from public.tap_notes), 1, 'and sees no others in the table');
select lives_ok(
  $$ insert into public.tap_notes (id, content) values ('more', 'of our own') $$,
  'what a user writes is of the own tenant');
select throws_ok(
  $$ insert into public.tap_notes (tenant_id, id, content)
     values ('00000000-0000-4000-8000-00000000000b', 'x', 'of another''s') $$,
  '42501', null, 'and cannot be of another''s');

select * from finish();
rollback;
