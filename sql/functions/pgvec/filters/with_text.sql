-- pgvec.with_text -- a filter with a condition on the text besides, as the operator $text.
create or replace function pgvec.with_text(filter jsonb, conditions text)
  returns jsonb
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when coalesce(conditions, '') = '' then filter
           when jsonb_typeof(pgvec.parse_filter(filter) -> '$text') <> 'string' then filter  -- which pgvec.filter_text refuses
           else pgvec.parse_filter(filter)
                || jsonb_build_object('$text', concat_ws(' ', pgvec.parse_filter(filter) ->> '$text', conditions))
         end
$$;
comment on function pgvec.with_text(jsonb, text) is 'The filter and "quoted phrases" and -excluded words that the text has to meet besides. Raises PV003.';
revoke all on function pgvec.with_text(jsonb, text) from public;
select pgvec.grant_execute('pgvec.with_text(jsonb, text)', 'reader');
