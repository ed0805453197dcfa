-- pgvec.query_vector -- the vector of a text without a model: the sum of the vectors of its words, as fitted to a collection.
-- What is typed with a minus is left out, as in pgvec.keyword_query. A word counts 1 + ln(times).
-- Definer, since nobody else may read the vectors of words. Planned once a session, since a new plan costs more than the query.
create or replace function pgvec.query_vector(query_text text, collection text default 'documents')
  returns extensions.vector
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  most_characters constant int := 100000;
  most_words      constant int := 500;
  most_typed      constant int := 32;
  target  constant pgvec.collections := pgvec.collection(coalesce(query_vector.collection, 'documents'));
  fit     constant pgvec.fits := pgvec.current_fit(target);
  words   text := left(query_text, most_characters);
  request pgvec.search_request;
  summed  extensions.vector;
begin
  if fit.collection is null or words is null then
    return null;
  end if;
  if regexp_count(words, '\s+') < most_typed and regexp_count(words, '"') <= most_typed then
    words := (pgvec.parse_words(words)).words;
  end if;
  request.collection := target;
  select extensions.sum(case l.times
               when 1 then v.vector::extensions.vector
               else v.vector::extensions.vector operator(extensions.*) array_fill((1 + ln(l.times))::real, array[fit.dimensions])::extensions.vector
             end)
    into summed
    from (select w.lexeme, max(coalesce(cardinality(w.positions), 1)) as times
            from unnest(pgvec.languages(request)) as c (configuration)
           cross join lateral unnest(pgvec.text_lexemes(c.configuration::regconfig, words, target.settings @> '{"fold_accents": true}')) as w
           group by w.lexeme
           order by w.lexeme
           limit most_words) as l
    join pgvec.lexeme_vectors as v on v.collection = target.name and v.lexeme = l.lexeme;
  summed := extensions.l2_normalize(summed);
  if summed operator(extensions.<#>) summed < 0 then
    return case
             when target.distance = 'cosine' then summed
             else summed operator(extensions.*) array_fill(fit.length::real, array[fit.dimensions])::extensions.vector
           end;
  end if;
  return null;
end
$$;
comment on function pgvec.query_vector(text, text) is
  'A vector for a query text, made of the vectors of its words that pgvec-admin fit has learned from the rows of a collection; no model is called. As long as the '
  'vectors of the rows, of length 1 for cosine. Null where nothing is fitted that serves the present vectors, where no word of the text has a vector, and where '
  'some callers do not see all rows. Raises PV001.';
revoke all on function pgvec.query_vector(text, text) from public;
select pgvec.grant_execute('pgvec.query_vector(text, text)', 'reader');
