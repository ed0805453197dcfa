-- pgvec.log_searches -- turns the log of searches on or off for a collection, and sets what is logged.
-- It answers what an operator asks: are searches slow, which, since when, and do people find what they look for. Texts and
-- vectors are people's own words, so they are logged only on request.
create or replace function pgvec.log_searches(
    collection text,
    sample float8 default 0.1,
    keep interval default '30 days',
    texts boolean default false,
    embeddings boolean default false)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(log_searches.collection);
begin
  if coalesce(sample, 0) not between 0 and 1 or (keep > interval '0') is not true then
    raise exception using
      errcode = 'PV004',
      message = format('sample cannot be %s, or keep %s', sample, coalesce(keep::text, 'null')),
      hint    = 'sample: a share between 0 (off) and 1 (all searches); keep: an interval, for example ''30 days''';
  end if;

  update pgvec.collections as c
     set log_sample = nullif(log_searches.sample, 0),
         log_keep = keep,
         log_texts = coalesce(texts, false),
         log_embeddings = coalesce(embeddings, false)
   where c.name = target.name;
end
$$;
comment on function pgvec.log_searches(text, float8, interval, boolean, boolean) is
  'From now on logs a share of the searches of a collection in pgvec.search_log: sample 0.1 is a tenth, 0 or null none. keep: older rows are removed by '
  'pgvec.prune_search_log. texts: with the text and the filter. embeddings: with the vector. Raises PV001, PV004.';
revoke all on function pgvec.log_searches(text, float8, interval, boolean, boolean) from public;
