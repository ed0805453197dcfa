-- pgvec.label_weights -- how much a word counts in each field: the weights of the labels A, B, C and D of pgvec.weighted_lexemes.
create or replace function pgvec.label_weights(weights jsonb)
  returns float8[]
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array(select (weights ->> k)::float8 from jsonb_object_keys(weights) as k where k <> 'content' order by k limit 3)
         || array_fill(1::float8, array[3 - least(3, (select count(*) from jsonb_object_keys(weights) as k where k <> 'content'))::int])
         || coalesce((weights ->> 'content')::float8, 1)
   where weights is not null
$$;
comment on function pgvec.label_weights(jsonb) is 'The weights of a collection''s fields as an array for the labels A, B, C and D; null where there are none.';
revoke all on function pgvec.label_weights(jsonb) from public;
select pgvec.grant_execute('pgvec.label_weights(jsonb)', 'reader');
