-- pgvec.word_parts -- the parts of words that the parser keeps whole: of node.js node and js.
-- Host names, files, paths, mail addresses, versions, names in camel case, and numbers after a hyphen, which the parser takes for
-- negative ones. They are read after the end of the text, so that the positions of its words, and with them phrases, stay as they are;
-- and as the whole is a word too, it ranks above its parts. Numbers such as 1.5 and 10:30, and initials such as U.S., have no parts.
create or replace function pgvec.word_parts(content text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select string_agg(p.parts, ' ')
    from regexp_matches(content, '\w[\w./@-]*[./@][\w./@-]*\w|\w*[a-z]{2}[A-Z][a-z]\w*|\w*[a-z]{4}[A-Z]{3}\w*', 'g') as m (found)
   cross join lateral (
         select concat_ws(' ',
                  regexp_replace(regexp_replace(regexp_replace(m.found[1], '[./@_-]+', ' ', 'g'), '([a-z0-9])([A-Z])', '\1 \2', 'g'), '([A-Z])([A-Z][a-z])', '\1 \2', 'g'),
                  substring(m.found[1] from '\mv(\d+(?:\.\d+)+)')) as parts) as p
   where m.found[1] ~ '[[:alpha:]].*[[:alnum:]]{2}|[[:alnum:]]{2}.*[[:alpha:]]'
$$;
comment on function pgvec.word_parts(text) is
  'The parts of host names, files, paths, mail addresses, versions and names in camel case of a text, joined by spaces; null where it has none.';
revoke all on function pgvec.word_parts(text) from public;
select pgvec.grant_execute('pgvec.word_parts(text)', 'reader');
