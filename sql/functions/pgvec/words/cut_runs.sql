-- pgvec.cut_runs -- cuts runs of scripts that are written without spaces into characters and overlapping pairs of them.
-- Han, kana, Hangul; Thai, Lao, Khmer and Burmese by clusters: a consonant with its vowels and marks. ABC becomes A AB B BC C, in which
-- every run of ABC is found again as consecutive words, so phrases work as elsewhere. Pairs are the usual index of such scripts without
-- a dictionary, and singles beside them find a word of one character;
-- both together rank better than pairs (docs/ranking.md).
-- U+200B and U+200C, which pgvec.plain_text has removed, mark the ends of a run.
create or replace function pgvec.cut_runs(content text, singles boolean default true)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  unit constant text :=
    '[\u2E80-\u2FDF\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303C\u3041-\u3096\u3099\u309A\u309D-\u309F\u30A1-\u30FA\u30FC-\u30FF\u3105-\u312F'
    '\u3131-\u318E\u31A0-\u31BF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\U00020000-\U0003FFFF]'
    '|[\u0E40-\u0E44]?[\u0E01-\u0E2F\u0E46][\u0E30-\u0E3A\u0E45\u0E47-\u0E4E]*'
    '|[\u0EC0-\u0EC4]?[\u0E81-\u0EAF\u0EC6\u0EDC-\u0EDF][\u0EB0-\u0EBD\u0EC8-\u0ECE]*'
    '|[\u1780-\u17B3\u17DC](?:\u17D2[\u1780-\u17B3]|[\u17B4-\u17D1\u17D3\u17DD])*'
    '|[\u1000-\u102A\u103F\u1050-\u1055\u105A-\u105D\u1061\u1065\u1066\u106E-\u1070\u1075-\u1081\u108E]'
    '(?:\u1039[\u1000-\u1021]|[\u102B-\u103E\u1056-\u1059\u105E-\u1060\u1062-\u1064\u1067-\u106D\u1071-\u1074\u1082-\u108D])*'
    '|[\u0E01-\u0E3A\u0E40-\u0E4E\u0E81-\u0ECE\u1000-\u103F\u1050-\u108F\u1780-\u17D3\u17DD]';
  particles constant text :=
    '\uC740\uB294\uC774\uAC00\uC744\uB97C\uC758\uC5D0\uB3C4\uC640\uACFC\uB85C\uB9CC\u306F\u304C\u3092\u306B\u306E\u3067\u3068\u3082\u3078\u3084';
begin
  if not singles then
    -- a Korean or Japanese word of one character with a particle
    content := regexp_replace(content, '(?<![\uAC00-\uD7A3])([\uAC00-\uD7A3])(?=[' || particles || '](?![\uAC00-\uD7A3]))', ' \1 \1', 'g');
    content := regexp_replace(content, '(?<![\u3005\u4E00-\u9FFF])([\u4E00-\u9FFF])(?=[' || particles || '])', ' \1 \1', 'g');
  end if;
  content := regexp_replace(content, '(?:' || unit || ')+', U&' \200B\\&\200C ', 'g');
  if singles then
    content := regexp_replace(content, unit, '\& \& \&', 'g');  -- A A AB B BC C C: the first and the last are one too many
    return regexp_replace(content, U&'\200B[^ ]+ | [^ ]+\200C', ' ', 'g');
  end if;
  content := regexp_replace(content, unit, '\& \&', 'g');  -- A AB BC C, and A A
  content := regexp_replace(content, U&'(\200B)[^ ]+ ', '\1', 'g');
  return translate(regexp_replace(content, U&' [^ \200B]+\200C', ' ', 'g'), U&'\200B\200C', '');
end
$$;
comment on function pgvec.cut_runs(text, boolean) is
  'The text with each run of Han, kana, Hangul, Thai, Lao, Khmer or Burmese as its characters (clusters of letters with their marks) and overlapping pairs: ABC as '
  'A AB B BC C, or as AB BC without singles. For a text that has gone through the rest of pgvec.plain_text.';
revoke all on function pgvec.cut_runs(text, boolean) from public;
select pgvec.grant_execute('pgvec.cut_runs(text, boolean)', 'reader');
