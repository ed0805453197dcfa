-- pgvec.like_regex -- a LIKE pattern as a regular expression, since jsonpath knows only those.
-- What means something in a regular expression gets a backslash before it. Of neighbouring % one is left, since a few
-- hundred of .* in a row take seconds to compile.
create or replace function pgvec.like_regex(pattern text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '^' || coalesce(string_agg(
                  case
                    when token[1] ~ '^[%_]' then replace(replace(token[1], '%', ''), '_', '.') || case when token[1] like '%\%%' then '.*' else '' end
                    else regexp_replace(regexp_replace(token[1], '^\\(.)$', '\1'), '[][\\^$.|?*+(){}]', '\\\&')
                  end, '' order by place), '') || '$'
    from regexp_matches(pattern, '\\.|[%_]+|.', 'g') with ordinality as t (token, place)
$$;
comment on function pgvec.like_regex(text) is
  'The regular expression that matches as LIKE pattern does: % any characters, _ one, a backslash makes the next one plain.';
revoke all on function pgvec.like_regex(text) from public;
select pgvec.grant_execute('pgvec.like_regex(text)', 'reader');
