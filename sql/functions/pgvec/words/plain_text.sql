-- pgvec.plain_text -- a text as text search is to read it, whoever wrote it and however it is encoded.
-- The one place where a text is prepared: that of rows (pgvec.text_lexemes), of queries and of phrases alike, so that they meet.
-- Letters and digits in their usual form (NFKC: ligatures, full-width, half-width kana), without what cannot be seen (soft hyphens,
-- joiners, byte order marks); signs that NFKC would glue to a word as another one are left apart. Scripts that are written without
-- spaces are cut (pgvec.cut_runs). C++, C# and .NET are names, whose signs the parser would drop.
-- Most texts need nothing of this, and are told by a test or two. What is stored is the text as it was given.
create or replace function pgvec.plain_text(content text, fold_accents boolean default false, singles boolean default true)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  unseen constant text := '\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFE00-\uFE0F\uFEFF\uFFF9-\uFFFB';
  joined constant text := '\u0E01-\u0EFF\u1000-\u109F\u1780-\u17FF\u2E80-\uA4CF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\U00020000-\U0003FFFF';
  apart  constant text := '[\u00A8\u00AF\u00B4\u00B8\u00BC-\u00BE\u02D8-\u02DD\u0384\u2017\u203E\u2120\u2122\u2150-\u215F\u2189]';
  alone  constant text := '[\u2116\u2460-\u24FF\u3200-\u32FF\u3358-\u33FF]|(?<=[0-9]|[[:alpha:]]{4})(?=[\u00B2\u00B3\u00B9\u2070-\u2079])';
  -- beyond Latin, Greek and Cyrillic letters and punctuation that NFKC leaves as they are, which is quicker to tell than normal forms are
  unusual constant text := '[^\u0001-\u007F\u00A1-\u00A7\u00A9\u00AB\u00B0\u00B1\u00B6\u00B7\u00BB\u00BF-\u0131\u0134-\u013E\u0141-\u0148\u014A-\u017E'
                          '\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03CE\u0400-\u0482\u0490-\u0513\u2010\u2012-\u2016\u2018-\u2022\u20AC\u2212]';
  rare   boolean := false;  -- characters that cannot be seen, or scripts without spaces
begin
  if octet_length(content) <> length(content) and getdatabaseencoding() = 'UTF8' then
    if content ~ unusual then
      if content is not nfkc normalized then
        content := normalize(regexp_replace(regexp_replace(content, apart, ' ', 'g'), alone, ' \& ', 'g'), nfkc);
      end if;
      rare := content ~ ('[' || unseen || joined || ']');
    end if;
    if fold_accents then
      content := pgvec.fold_accents(content);
    end if;
    if rare then
      content := regexp_replace(content, '[' || unseen || ']', '', 'g');
      if content ~ ('[' || joined || ']') then
        content := pgvec.cut_runs(content, singles);
      end if;
    end if;
  end if;
  if content ~ '[[:alpha:]](\+\+|#)|\.[Nn][Ee][Tt]' then
    content := regexp_replace(content, '\m([[:alpha:]])\+\+', '\1plusplus ', 'g');
    content := regexp_replace(content, '([[:alpha:]]{2,})\+\+', '\1 \1plusplus ', 'g');
    content := regexp_replace(content, '\m([[:alpha:]])#(?![[:alpha:]])', '\1sharp ', 'g');
    content := regexp_replace(content, '(^|[^[:alnum:]_./\\-])\.net\M', '\1dotnet', 'gi');
  end if;
  return content;
end
$$;
comment on function pgvec.plain_text(text, boolean, boolean) is
  'A text as it is parsed for search, in rows, queries and phrases: NFKC, without invisible characters, scripts without spaces cut into overlapping pairs '
  '(pgvec.cut_runs), and without accents where fold_accents is true; singles: with single characters beside the pairs. A text that needs none of this is returned as it is.';
revoke all on function pgvec.plain_text(text, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.plain_text(text, boolean, boolean)', 'reader');
