-- pgvec.check_weights -- PV004 for numbers that a hybrid search cannot work with.
create or replace function pgvec.check_weights(
    semantic_weight float8, full_text_weight float8, rrf_k int, diversity float8, recency_field text, half_life interval)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  -- NaN sorts above all
  if semantic_weight not between 0 and 1e9 or full_text_weight not between 0 and 1e9 or semantic_weight + full_text_weight = 0 then
    raise exception using
      errcode = 'PV004',
      message = format('the weights cannot be %s (semantic) and %s (full text)', semantic_weight, full_text_weight),
      hint    = 'neither below 0, and not both 0; a weight of 0 leaves that side out';
  end if;
  if rrf_k < 0 then
    raise exception using
      errcode = 'PV004',
      message = format('rrf_k cannot be %s', rrf_k),
      hint    = '60 is usual; less favours the first ranks';
  end if;
  if diversity not between 0 and 1 then
    raise exception using
      errcode = 'PV004',
      message = format('diversity cannot be %s', diversity),
      hint    = 'from 0 (none) to 1 (as unlike each other as can be)';
  end if;
  if (recency_field is null) <> (half_life is null) or half_life <= interval '0'
     or extract(epoch from half_life) <= 0 then  -- '-4 years 1461 days' compares as more than zero, but lasts zero seconds
    raise exception using
      errcode = 'PV004',
      message = format('recency_field %s and half_life %s do not go together', pgvec.shown(recency_field), coalesce(half_life::text, 'null')),
      hint    = 'name a date in metadata and the age at which half the score is left: recency_field => ''published'', half_life => ''30 days''';
  end if;
end
$$;
comment on function pgvec.check_weights(float8, float8, int, float8, text, interval) is
  'Raises PV004 for weights, rrf_k, diversity or recency that a hybrid search cannot work with.';
revoke all on function pgvec.check_weights(float8, float8, int, float8, text, interval) from public;
select pgvec.grant_execute('pgvec.check_weights(float8, float8, int, float8, text, interval)', 'reader');
