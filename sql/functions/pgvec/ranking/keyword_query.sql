-- pgvec.keyword_query -- a query text, ready to find rows and to score them.
-- Any of its words will do, since a question in plain language has words that no answer contains. Every word scores, by how
-- rare it is (idf); candidates come from the rarest, as many of them as stay within candidate_budget rows together (a setting),
-- and at least one: common words hardly change the order, and reading every row that has one takes long. Of a long text in a large collection
-- they have two of its words, one of them rare, or one that hardly any row has (pgvec.word_pairs), so that more of its words select: as many as lead to a quarter of the budget of
-- rows, if words were spread at random. Of 25 words that is half of the time (docs/benchmarks.md).
-- Quotes and minus signs are operators in what people type. A text of more words than people type is prose, a passage or a
-- prompt, and there they are punctuation.
-- Definer, since nobody else may read the statistics. Planned once a session: a new plan for each call takes 0.6 ms of 0.9.
-- idf as in Lucene, never negative: ln(1 + (N - n + 0.5) / (n + 0.5)).
drop function if exists pgvec.keyword_query(text, text), pgvec.keyword_query(text, text, uuid);

create or replace function pgvec.keyword_query(collection text, query_text text, for_tenant uuid default null, reading jsonb default null)
  returns pgvec.keyword_query
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- one lexeme of many, also where nothing tells how many there are
  set debug_print_plan = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  most_characters constant int := 100000;  -- to_tsvector takes 9 ms for them, and has a limit of its own
  most_words      constant int := 500;
  most_typed      constant int := 32;
  most_alone      constant float8 := 0.05;  -- of the budget: rows with words that find them alone, since no other word weighs as much
  least_rare      constant int := 4;  -- words: of fewer the pairs are few, and rows with one word may be better
  most_posted     constant int := 8;  -- of more lexemes there are rare ones, and the sum over long postings says less than the rows of these
  half            constant float8 := 0.5;  -- times that a part of a word counts as, and a number with another sign: the parser takes x-1 for x and -1
  request  pgvec.search_request := pgvec.scoped(keyword_query.collection, for_tenant);
  target   pgvec.collections := request.collection;
  counted  uuid[] := coalesce(request.tenants, array[pgvec.no_tenant()]);
  folded   boolean := target.settings @> '{"fold_accents": true}';
  -- rows that are read and scored in the time that the postings of a lexeme take; fewer where postings are wanted of fewer rows
  a_posting float8 := least(2000, 0.2 * coalesce((target.settings ->> 'live_statistics')::float8, 10000));
  budget   bigint := coalesce((target.settings ->> 'candidate_budget')::bigint, 20000);
  prose    text := left(coalesce(query_text, ''), most_characters);
  parsed   record;
  widest   float8;  -- rows with the words that select, together, where each row has two
  light    text[];  -- lexemes that weigh, but select no rows
  more     pgvec.expansion[];
  total    bigint := (select sum(t.documents) from pgvec.text_totals as t where t.collection = target.name and t.tenant = any (counted));
  given    bigint;
  kept     bigint;
  result   pgvec.keyword_query;
begin
  if regexp_count(prose, '\s+') < most_typed and regexp_count(prose, '"') <= most_typed then
    parsed := pgvec.parse_words(prose);
    prose := parsed.words;
    result.phrases := (select string_agg(format('"%s"', p), ' ') from unnest(parsed.phrases) as p);
    result.excluded := (select string_agg(format('-"%s"', x), ' ') from unnest(parsed.excluded) as x);
  end if;

  widest := case when budget > 0 and total > 4.0 * budget then least(7.0 * budget, sqrt(budget::float8 * total)) end;
  light := pgvec.single_letters(request, prose, folded);
  if reading is not null or target.settings ? 'synonyms' then
    more := pgvec.expansions(request, total, prose, reading);
  end if;

  with lexemes as (
         select n.lexeme, max(case when n.is_sign then half else coalesce(cardinality(l.positions), half) end) as times
           from unnest(pgvec.languages(request)) as c (configuration)
          cross join lateral unnest(pgvec.text_lexemes(c.configuration::regconfig, prose, folded)) as l
          cross join lateral (
                select l.lexeme, false as is_sign
                 union all
                select case when starts_with(l.lexeme, '-') then substr(l.lexeme, 2) else '-' || l.lexeme end, true
                 where l.lexeme ~ '^-?[0-9]+$') as n
          group by n.lexeme),
       frequencies as (
         select l.lexeme, f.documents,
                l.times * ln(1 + (greatest(total, f.documents) - f.documents + 0.5) / (f.documents + 0.5)) as weight,
                count(*) over () as given
           from lexemes as l
          cross join lateral (select coalesce(sum(x.documents), 0)::float8 as documents
                                from pgvec.lexemes as x
                               where x.collection = target.name
                                 and x.tenant = any (counted)
                                 and x.lexeme = l.lexeme) as f
          order by f.documents = 0, weight desc, l.lexeme
          limit most_words),
       words as (
         select c.operand as word, c.lexeme,
                ('x' || left(md5(c.lexeme), 7))::bit(28)::int + 1 as dimension,
                c.weight,
                c.documents,
                c.selects,
                sum(c.documents) filter (where c.selects) over (order by c.documents, c.lexeme) as documents_so_far,
                c.given
           from (select f.lexeme, f.documents, f.weight, f.given, f.lexeme <> all (light) as selects,
                        format('''%s''', replace(replace(f.lexeme, e'\\', e'\\\\'), '''', '''''')) as operand
                   from frequencies as f
                  union all
                 select e.lexeme, e.documents, e.weight, null, true, e.operand from unnest(more) as e
                  where e.lexeme is null or e.lexeme not in (select f.lexeme from frequencies as f)) as c)
  select (string_agg(w.word, ' | ') filter (where w.selects and w.documents_so_far <= greatest(budget, w.documents)))::tsquery,
         (string_agg(w.word, ' | ') filter (where w.selects))::tsquery,
         (select format('{%s}/268435456', string_agg(d.dimension || ':' || d.weight::float4, ','))::extensions.sparsevec
            from (select x.dimension, sum(x.weight) as weight from words as x where x.weight is not null group by x.dimension) as d),
         max(w.given), count(w.given),
         case when bool_and(w.lexeme is not null) and count(*) filter (where w.selects and w.given is not null) <= most_posted
                   and (count(*) filter (where w.selects) > most_posted  -- with those that fuzzy, prefix and synonyms add
                        or sum(w.documents) filter (where w.selects and w.documents_so_far <= greatest(budget, w.documents)) > a_posting * count(*) filter (where w.selects))
              then array_agg(w.lexeme) filter (where w.selects) end,
         case when count(*) filter (where w.selects and w.given is not null) > most_posted and count(*) <= most_typed and sum(w.documents) filter (where w.selects) > budget
                   and count(*) filter (where w.selects and w.documents > 0 and w.documents_so_far <= widest * 2 / 7) >= least_rare
              then pgvec.word_pairs(array_agg(w.word order by w.documents, w.lexeme) filter (where w.selects and w.documents_so_far <= widest),
                                    count(*) filter (where w.selects and w.documents_so_far <= widest * 2 / 7)::int,
                                    count(*) filter (where w.selects and w.documents_so_far <= most_alone * budget)::int) end
    into result.candidates, result.words, result.weights, given, kept, result.lexemes, result.pairs
    from words as w;

  if given > kept or length(query_text) > most_characters then
    raise notice using
      message = format('the query is too long: it is searched by %s of its words', kept),
      hint    = format('the first %s characters count, and of them the %s words that weigh most', most_characters, most_words);
  end if;
  return result;
end
$$;
comment on function pgvec.keyword_query(text, text, uuid, jsonb) is
  'What to search a collection for: words (any of them), candidates (the rarest of them, that fewer rows have), weights (idf times occurrences, by dimension of '
  'pgvec.bm25_vector), phrases (in quotes) and excluded (each with a minus) of a text of at most 32 words; lexemes (those of words, for pgvec.posted_rows; null where '
  'the text has more than 8, and where few rows have them) and pairs (two of the rarer ones, where the text has 9 to 32 and the collection more than four '
  'times candidate_budget rows; else null). '
  'All null for a text without words. How rare a word is depends on the rows of for_tenant, or of all tenants of the caller. A text of more '
  'than 100,000 characters or 500 different words is cut, with a notice. Raises PV001 and PV006.';
revoke all on function pgvec.keyword_query(text, text, uuid, jsonb) from public;
select pgvec.grant_execute('pgvec.keyword_query(text, text, uuid, jsonb)', 'reader');
