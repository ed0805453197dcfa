-- pgvec.headline -- the part of a text that answers a query, with the query's words between <mark> and </mark>.
create or replace function pgvec.headline(configuration text, content text, query tsquery)
  returns text
  language sql stable parallel safe
  security invoker set search_path = ''
as $$
  select ts_headline(configuration::regconfig, content, query,
                     'StartSel=<mark>, StopSel=</mark>, MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=" ... "')
$$;
comment on function pgvec.headline(text, text, tsquery) is
  'Up to two fragments of a text around the words of a query, which stand between <mark> and </mark>; the beginning of the text where none occurs. '
  'The text itself is not escaped.';
revoke all on function pgvec.headline(text, text, tsquery) from public;
select pgvec.grant_execute('pgvec.headline(text, text, tsquery)', 'reader');
