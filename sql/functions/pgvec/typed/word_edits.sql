-- pgvec.word_edits -- all words that a word with one typing error may have been meant as.
-- Damerau (1964): a letter left out, one too many, a wrong one, or two that changed places; 80 % of all errors are one of these.
-- How likely a word is beside the others is by their number: one that was to lack a letter can be typed in one way, one with a
-- wrong letter in 25, of which keyboards make a few more likely than the rest.
create or replace function pgvec.word_edits(word text, letters text[])
  returns table (edit text, likelihood float8)
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  rows 500
as $$
begin
  return query
    with cuts as materialized (
           select left(word, i) as head, substr(word, i + 1) as tail from generate_series(0, length(word)) as i),
         edits as (
           select c.head || l.letter || c.tail as edit, 1.0 as likelihood from cuts as c cross join unnest(letters) as l (letter)
           union all
           select c.head || substr(c.tail, 2, 1) || left(c.tail, 1) || substr(c.tail, 3), 1.0 from cuts as c where length(c.tail) >= 2
           union all
           select c.head || substr(c.tail, 2), case when right(c.head, 1) = left(c.tail, 1) then 0.7 else 0.2 end from cuts as c where c.tail <> ''
           union all
           select c.head || l.letter || substr(c.tail, 2), 0.2 from cuts as c cross join unnest(letters) as l (letter) where c.tail <> '')
    select e.edit, max(e.likelihood)::float8
      from edits as e
     where e.edit <> word
     group by e.edit;
end
$$;
comment on function pgvec.word_edits(text, text[]) is
  'The words that differ from a word by one typing error, letters being those that may be missing or wrong, each with a likelihood to compare by.';
revoke all on function pgvec.word_edits(text, text[]) from public;
