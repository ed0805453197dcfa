-- pgvec.parse_words -- the parts of a text to search for: words, "quoted phrases" and words or phrases with a minus.
-- What people type is no query language, so an operator is only what is plainly meant as one. A quote begins a phrase where no letter
-- or digit is before it; after one it is an inch mark, or closes. A minus excludes where it is a single one before a letter or a quote,
-- after white space, and other words remain. In a command line it begins an option: one of one or two letters, with digits or signs, of
-- usual names; options with values (a file, another option after it); or any beside what only commands have (two minus signs, a pipe, a path).
-- syntax: web is this; filter, for conditions of filters, excludes whatever has a minus; plain has no operators.
-- Of the examples of the tldr pages, which are command lines, one in 150 excludes a word (docs/ranking.md).
drop function if exists pgvec.parse_words(text);

create or replace function pgvec.parse_words(query_text text, syntax text default 'web', out words text, out phrases text[], out excluded text[])
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  phrase     constant text := '(?<![[:alnum:]])"([^"]+)"';
  of_command constant text := '(^|\s)-(-|[[:alpha:]]?(\s|$)|[[:alpha:]]+[-/:.,_+0-9])|[|<>{}$=\\`;]|(^|\s)[./~]|\w/\w'
                                  '|\s-[[:alpha:]]\S*\s+([^-\s].*\s-[[:alpha:]]|\S*([.:]\w|[*@\[]))'
                                  '|^\s*(sudo\s|(Add|Clear|Export|Get|Import|Install|New|Remove|Set|Start|Stop|Test)-[A-Z])';
  an_option  constant text := '^([a-zA-Z]{1,2}|[A-Z][b-df-hj-np-tv-z]{2,}|(?!html$|https?$)[b-df-hj-np-tv-xz]{4,}|version|help|verbose|quiet|silent|debug|recursive)$';
  with_minus constant text := case syntax when 'filter' then '(?:^|\s)-([^-\s]\S*)' else '(?:^|\s)-([[:alpha:]]\S*)' end;
begin
  words := query_text;
  if octet_length(words) <> length(words) and getdatabaseencoding() = 'UTF8' then
    words := translate(words, U&'\201C\201D\201E\201F\00AB\00BB\FF02', '"""""""');
  end if;
  phrases := '{}';
  excluded := '{}';
  if words !~ '"|(^|\s)-' then
    return;
  elsif syntax <> 'plain' then
    excluded := array(select m[1] from regexp_matches(words, '(?:^|\s)-"([^"]+)"', 'g') as m);
    words := regexp_replace(words, '(^|\s)-"[^"]*"', ' ', 'g');
    phrases := array(select m[1] from regexp_matches(words, phrase, 'g') as m);
    words := regexp_replace(words, phrase, '"', 'g');  -- after which a hyphen is no minus
    if words ~ with_minus and (
         syntax = 'filter'
         or words !~ of_command
            and not exists (select from regexp_matches(words, with_minus, 'g') as m where m[1] ~ an_option)
            and concat(array_to_string(phrases, ' '), regexp_replace(words, with_minus, '', 'g')) ~ '[[:alnum:]]')
    then
      excluded := excluded || array(select m[1] from regexp_matches(words, with_minus, 'g') as m);
      words := regexp_replace(words, with_minus, ' ', 'g');
    end if;
    words := concat_ws(' ', words, nullif(array_to_string(phrases, ' '), ''));
  end if;
  words := replace(words, '"', ' ');
  if syntax = 'plain' then
    words := regexp_replace(words, '(^|\s)-+(?=[[:alpha:]])', '\1', 'g');
  end if;
end
$$;
comment on function pgvec.parse_words(text, text) is
  'Splits a text to search for: words (those of quoted phrases too), phrases (what is quoted), excluded (what has a minus before it, where that is meant to exclude). '
  'syntax: web, plain (words only) or filter (every minus excludes).';
revoke all on function pgvec.parse_words(text, text) from public;
select pgvec.grant_execute('pgvec.parse_words(text, text)', 'reader');
