-- pgvec.escape_html -- a text as HTML that shows exactly this text, in an element or in an attribute.
create or replace function pgvec.escape_html(content text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select replace(replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
$$;
comment on function pgvec.escape_html(text) is 'The text with & < > " and '' as character references of HTML.';
revoke all on function pgvec.escape_html(text) from public;
select pgvec.grant_execute('pgvec.escape_html(text)', 'reader');
