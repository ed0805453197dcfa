-- pgvec.word_rules -- which rules make the lexemes of a collection: their number in this release, and the settings that change them.
-- A collection keeps those that its rows were made by (pgvec.collections.word_rules). Where these are others, verify looks
-- whether any row has other lexemes now, and pgvec.refresh_lexemes makes them. The number goes up with every change of lexemes.
create or replace function pgvec.word_rules(settings jsonb default '{}')
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '2' || case when settings @> '{"fold_accents": true}' then ' fold_accents' else '' end
         || coalesce((select ' weights ' || string_agg(k, ' ' order by k) from jsonb_object_keys(settings -> 'weights') as k where k <> 'content'), '')
$$;
comment on function pgvec.word_rules(jsonb) is
  'The rules by which lexemes are made with these settings of a collection: compared with word_rules in pgvec.collections, by which those of its rows were made.';
revoke all on function pgvec.word_rules(jsonb) from public;
select pgvec.grant_execute('pgvec.word_rules(jsonb)', 'reader');
