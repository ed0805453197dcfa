-- pgvec.letters_like -- the letters that a word may lack: those of its script, by ranges of Unicode, and its own.
-- The accented letters of Latin are among them unless the texts are English, where each one more makes the search for the word that was
-- meant longer for nothing.
create or replace function pgvec.letters_like(word text, configuration text)
  returns text[]
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array(
    select substr(word, i, 1) from generate_series(1, length(word)) as i
     union
    select chr(c)
      from (values ('[a-zß-ÿ]', 97, 122, true),                                                     -- a to z
                   ('[a-zß-ÿ]', 223, 255, configuration !~ '(^|\.)(english|simple)$' or word ~ '[ß-ÿ]'),  -- ß, à to ÿ
                   ('[а-яё]', 1072, 1105, true),                                                    -- Cyrillic
                   ('[α-ώ]', 945, 974, true),                                                       -- Greek
                   ('[א-ת]', 1488, 1514, true),                                                     -- Hebrew
                   ('[ء-ي]', 1569, 1610, true)) as r (script, first, last, wanted)                  -- Arabic
     cross join lateral generate_series(r.first, r.last) as c
     where r.wanted
       and word ~ r.script
       and chr(c) ~ '[[:alpha:]]')
$$;
comment on function pgvec.letters_like(text, text) is 'The letters of the scripts that a word in lower case is written in, for texts of a configuration, and those of the word.';
revoke all on function pgvec.letters_like(text, text) from public;
