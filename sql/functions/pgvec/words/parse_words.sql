-- pgvec.parse_words -- the parts of a text to search for: words, "quoted phrases" and words or phrases with a minus.
-- A minus counts at the beginning of a word only, so state-of-the-art is three words. A lone quote is ignored.
create or replace function pgvec.parse_words(query_text text, out words text, out phrases text[], out excluded text[])
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with wanted as (
         select regexp_replace(parse_words.query_text, '(^|\s)-("[^"]*"|[^\s"]+)', ' ', 'g') as kept)
  select replace(w.kept, '"', ' '),
         array(select m[1] from regexp_matches(w.kept, '"([^"]+)"', 'g') as m),
         array(select m[1] from regexp_matches(parse_words.query_text, '(?:^|\s)-("[^"]*"|[^\s"]+)', 'g') as m)
    from wanted as w
$$;
comment on function pgvec.parse_words(text) is
  'Splits a text to search for: words (those of quoted phrases too), phrases (what is quoted), excluded (what has a minus before it).';
revoke all on function pgvec.parse_words(text) from public;
select pgvec.grant_execute('pgvec.parse_words(text)', 'reader');
