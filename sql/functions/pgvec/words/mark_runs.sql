-- pgvec.mark_runs -- ts_headline for scripts that are written without spaces: marks every character that belongs to one of the lexemes.
-- The parser takes a run of them for one word, while lexemes are characters and pairs of them. Single characters are marked only where
-- the query has nothing longer. Of a long text, what is around the first of them is shown.
create or replace function pgvec.mark_runs(configuration text, content text, query tsquery, lexemes text[])
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_characters constant int := 200;
  longest constant int := (select max(length(l)) from unnest(lexemes) as l);
  -- of each lexeme, each character between those before it and those after it
  pattern constant text := '(?:' || (
    select string_agg(
             case when i > 1 then '(?<=' || left(l, i - 1) || ')' else '' end || substr(l, i, 1) || case when i < length(l) then '(?=' || substr(l, i + 1) || ')' else '' end, '|')
      from (select distinct u from unnest(lexemes) as u where length(u) > 1 or longest = 1 limit 100) as x (l), generate_series(1, length(l)) as i
  ) || ')+';
  first constant int := case when length(content) > most_characters then coalesce(regexp_instr(content, pattern), 1) else 1 end;
  start constant int := case when first > most_characters / 2 then first - most_characters / 4 else 1 end;
  shown text := substr(content, start, most_characters);
begin
  shown := ts_headline(configuration::regconfig, shown, query, e'StartSel=\x01, StopSel=\x02, HighlightAll=true');
  shown := regexp_replace(shown, format(e'\x01(%s+)\x02', pgvec.unspaced_letters()), '\1', 'g');  -- a whole run that the query has as a word
  shown := regexp_replace(shown, pattern, e'\x01\\&\x02', 'g');
  return case when start > 1 then '... ' else '' end || shown || case when start + most_characters <= length(content) then ' ...' else '' end;
end
$$;
comment on function pgvec.mark_runs(text, text, tsquery, text[]) is
  'A text with the characters of lexemes, and the other words of a query, between U+0001 and U+0002; of a long one 200 characters around the first. lexemes: of letters only.';
revoke all on function pgvec.mark_runs(text, text, tsquery, text[]) from public;
select pgvec.grant_execute('pgvec.mark_runs(text, text, tsquery, text[])', 'reader');
