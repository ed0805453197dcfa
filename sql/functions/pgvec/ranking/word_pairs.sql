-- pgvec.word_pairs -- the query for rows that have a rare word of a text and any other, or one that hardly a row has.
-- A long text has some word in common with every row; its best rows have several. An index tells rows with two words by their postings alone, where it
-- skips through those of frequent words, and few such rows are left to read. Two different numbers differ first in some bit: so a text of n words takes
-- n log n operands, where its pairs are n^2 / 2. What most rows have is tested first.
create or replace function pgvec.word_pairs(words text[], rare int, alone int)
  returns tsquery
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with rare as (
         select w.word, w.place from unnest(word_pairs.words[:rare]) with ordinality as w (word, place)),
       halves as (
         select b.bit, r.place >> b.bit >> 1 as part,
                string_agg(r.word, ' | ' order by r.place desc) filter (where r.place >> b.bit & 1 = 0) as first,
                string_agg(r.word, ' | ' order by r.place desc) filter (where r.place >> b.bit & 1 = 1) as second
           from rare as r
          cross join generate_series(0, 9) as b (bit)
          group by b.bit, part)
  select nullif(concat_ws(
           ' | ',
           '(' || nullif(array_to_string(word_pairs.words[rare + 1:], ' | '), '') || ') & (' || (select string_agg(r.word, ' | ' order by r.place desc) from rare as r) || ')',
           (select string_agg(format('(%s) & (%s)', h.second, h.first), ' | ' order by h.bit desc, h.part) from halves as h where h.first is not null and h.second is not null),
           nullif(array_to_string(word_pairs.words[:alone], ' | '), '')),
           '')::tsquery
$$;
comment on function pgvec.word_pairs(text[], int, int) is
  'The tsquery of rows with one of the first rare of some operands of tsqueries (at most 1,023), the rarest first, and any other of all of them, or with one of the first '
  'alone; null where there is nothing to find.';
revoke all on function pgvec.word_pairs(text[], int, int) from public;
