-- pgvec.collection_version -- what tells whether an answer that was kept is still good.
-- Two calls that return the same text saw the same rows and settings: every statement that changes rows adds to the
-- statistics (pgvec.count_lexemes), whose sum only grows, or which are emptied together with the table, and then begin at a
-- higher number (pgvec.first_change). A tenant's changes are told to nobody else: no number in it is shared with others.
-- Null where that is not known, and nothing should be kept: for an adopted table, whose columns change without a word, and
-- where policies not of our making decide, since these may read anything.
-- Definer, since the statistics are nobody's to read.
create or replace function pgvec.collection_version(collection text, for_tenant uuid default null)
  returns text
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  request pgvec.search_request := pgvec.scoped(collection_version.collection, for_tenant);
  target  pgvec.collections := request.collection;
  version text;
begin
  if target.access = 'policy'
     or target.base <> target.relation
     or not has_table_privilege(pgvec.caller(), target.relation, 'select')
     or exists (select from pg_policy as p where p.polrelid = target.relation and p.polname not in ('read_all', 'insert_all', 'update_all', 'delete_all'))
  then
    return null;
  end if;

  version := (
    select sum(t.changes)
      from pgvec.text_totals as t
     where t.collection = target.name
       and t.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()])));
  return md5(format('%s/%s/%s', target, request.tenants, version));
end
$$;
comment on function pgvec.collection_version(text, uuid) is
  'A text that changes whenever the rows of a collection that the caller may read do (those of for_tenant, or of all tenants of the caller), or its settings. '
  'Null where that cannot be told: for adopted tables, access policy, and tables with policies of their own. Raises PV001 and PV006.';
revoke all on function pgvec.collection_version(text, uuid) from public;
select pgvec.grant_execute('pgvec.collection_version(text, uuid)', 'reader');
