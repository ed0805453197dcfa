-- pgvec.fold_accents -- a text without accents, and with one form of letters that have several.
-- For collections with the setting fold_accents, whose users type without accents. The marks of Cyrillic short i and Ukrainian yi
-- stay, since these are letters of their own; kana and Hangul are put together again.
create or replace function pgvec.fold_accents(content text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  marks   constant text := '[\u0300-\u0305\u0307\u0309-\u036F\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06ED]';
  of_some constant text := '(?<![\u0406\u0418\u0423\u0438\u0443\u0456])[\u0306\u0308]';
begin
  content := normalize(regexp_replace(normalize(content, nfd), marks || '|' || of_some, '', 'g'), nfc);
  content := translate(content, U&'\0131\0111\0110\00F0\00D0\00F8\00D8\0142\0141\0127\0126\0167\0166\0649\0629\06A9\06CC\06C1\0671',
                                U&'idDdDoOlLhHtT\064A\0647\0643\064A\0647\0627');
  if content ~ '[\u00C6\u00DF\u00E6\u00FE\u0152\u0153]' then
    content := replace(replace(replace(content, U&'\00DF', 'ss'), U&'\00E6', 'ae'), U&'\00C6', 'AE');
    content := replace(replace(replace(content, U&'\0153', 'oe'), U&'\0152', 'OE'), U&'\00FE', 'th');
  end if;
  return content;
end
$$;
comment on function pgvec.fold_accents(text) is
  'The text without accents, vowel points and tatweel, and with one form of letters that have several (Arabic and Persian letters, dotless i, letters with a stroke, '
  'ligatures).';
revoke all on function pgvec.fold_accents(text) from public;
select pgvec.grant_execute('pgvec.fold_accents(text)', 'reader');
