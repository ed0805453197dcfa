-- pgvec.verify_texts -- whether the hash, the lexemes and the weights that triggers maintain beside a text match it.
-- Making the lexemes of a text takes longer than reading it, hence a small sample. Weights may have been made with an average
-- length that has moved since; pgvec.refresh_statistics renews them.
create or replace function pgvec.verify_texts(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows constant int := 5000;
  apart     constant float8 := 0.05;  -- cosine distance of weights
  target  pgvec.collections := pgvec.collection(verify_texts.collection);
  repair  text := format('select pgvec.repair_rows(%L);', target.name);
  again   text := 'pgvec.repair_rows makes them again';
  outdated constant boolean := target.word_rules is distinct from pgvec.word_rules(target.settings);
  seen    record;
begin
  execute format(
    $query$
    select count(*) as rows,
           count(*) filter (where d.content_hash is distinct from md5(d.content)) as hashes,
           count(*) filter (where d.fts is distinct from %3$s) as lexemes,
           count(*) filter (where d.bm25 is null
                               or not extensions.l2_norm(d.bm25) = 0
                                  and d.bm25 operator(extensions.<=>) pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b, pgvec.label_weights($5)) > $2) as weights
      from %1$s as d
      left join pgvec.bm25_parameters as p on p.collection = $3 and p.tenant = %2$s
    $query$, pgvec.sample_of(target, most_rows), case target.access when 'tenant' then 'd.tenant_id' else format('%L::uuid', pgvec.no_tenant()) end,
    case when target.base <> target.relation then pgvec.adopted_lexemes(target, pgvec.adopted(target.name), 'd', by_number => true)
         when target.settings ? 'weights' then 'pgvec.weighted_lexemes($5, coalesce(d.language, $1), d.metadata, d.content, $4)'
         else 'pgvec.text_lexemes(coalesce(d.language, $1)::regconfig, d.content, $4)' end)
    into seen
    using target.language, apart, target.name, target.settings @> '{"fold_accents": true}', target.settings -> 'weights';

  return next pgvec.verdict(
    target.name, 'hashes',
    array_remove(array[case when seen.hashes > 0 then format('content_hash of %s of %s rows is not that of their text', seen.hashes, seen.rows) end], null),
    format('hashes of %s rows are those of their texts', seen.rows), again, repair);
  return next pgvec.verdict(
    target.name, 'lexemes',
    array_remove(array[case when seen.lexemes > 0 then format('fts of %s of %s rows is ' || case when outdated then 'that of an earlier release, or of other settings'
                                                                                                else 'not that of their text' end, seen.lexemes, seen.rows) end], null),
    format('lexemes of %s rows are those of their texts', seen.rows),
    case when outdated then format('pgvec-admin collection refresh %s', target.name) else again end,
    case when outdated then format('select pgvec.refresh_lexemes(%L);', target.name) else repair end,
    severity => case when outdated then 'warn' else 'fail' end);
  return next pgvec.verdict(
    target.name, 'weights',
    array_remove(array[case when seen.weights > 0 then format('bm25 of %s of %s rows is not that of their lexemes', seen.weights, seen.rows) end], null),
    format('weights of %s rows are those of their lexemes', seen.rows),
    'pgvec.refresh_statistics makes them again', format('select pgvec.refresh_statistics(%L, null);', target.name), severity => 'warn');
end
$$;
comment on function pgvec.verify_texts(text) is
  'Checks what is stored beside the texts of a collection, in a sample of 5,000 rows: hashes (content_hash), lexemes (fts) and weights (bm25). Raises PV001.';
revoke all on function pgvec.verify_texts(text) from public;
