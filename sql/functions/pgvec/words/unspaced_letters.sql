-- pgvec.unspaced_letters -- the letters of scripts that are written without spaces between words, for regular expressions.
-- Thai and Lao, Burmese, Khmer, Han, kana and Hangul.
create or replace function pgvec.unspaced_letters()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '[\u0E01-\u0EFF\u1000-\u109F\u1780-\u17FF\u2E80-\u2FDF\u3005-\u3007\u3021-\u312F\u3131-\u318E\u31A0-\u31FF\u3400-\uA4CF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF'
         '\U00020000-\U0003FFFF]'
$$;
comment on function pgvec.unspaced_letters() is 'A regular expression for a letter of a script that is written without spaces.';
revoke all on function pgvec.unspaced_letters() from public;
select pgvec.grant_execute('pgvec.unspaced_letters()', 'reader');
