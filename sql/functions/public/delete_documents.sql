-- delete_documents -- deletes rows of a collection by ids, source and filter; what is given applies together.
-- They are first locked in the order of their ids, as every function that writes several rows does, so that two calls wait for
-- each other instead of deadlocking. Where policies are the owner's, or the caller may delete and not update, nothing may be
-- locked beforehand. Ids are looked up one by one: the planner does not know how many rows a tenant has.
create or replace function public.delete_documents(
    ids text[] default null,
    source text default null,
    filter jsonb default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(coalesce(delete_documents.collection, 'documents'), for_tenant);
  target  pgvec.collections := request.collection;
  within  record := pgvec.filter_condition(target, filter, request.tenants);
  deleted bigint;
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s', target.name, target.base),
      hint    = 'delete from that table; the collection follows';
  end if;
  if ids is null and source is null and coalesce(within.condition, '') = '' then
    raise exception using
      errcode = 'PV004',
      message = 'nothing says which rows are to be deleted',
      hint    = 'give ids, a source or a filter; select pgvec.drop_collection(name) deletes all there is';
  end if;

  execute format(
    $query$
    with found as materialized (
           select f.*
             from %2$s lateral (
                  select %3$s d.id
                    from %1$s as d
                   where ($3 is null or d.source = $3) %4$s %5$s
                   order by d.id
                  offset 0 %6$s) as f)
    delete from %1$s as x
     using found
     where x.id = found.id %7$s
    $query$,
    target.relation,
    case when ids is not null then '(select distinct u.id from unnest($1) as u (id) order by u.id) as i cross join' end,
    case when request.tenants is not null then 'd.tenant_id,' end,
    concat_ws(' ', case when ids is not null then 'and d.id = i.id' end,
              'and d.tenant_id = any (' || quote_literal(request.tenants) || ')'),
    'and ' || nullif(within.condition, ''),
    case when target.access <> 'policy' and has_table_privilege(target.relation, 'update') then 'for update' end,
    case when request.tenants is not null then 'and x.tenant_id = found.tenant_id' end)
    using ids, within.bound, source;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function public.delete_documents(text[], text, jsonb, text, uuid) is
  'Deletes the rows with these ids, of this source and that pass the filter (as in match_documents), all conditions given together, and returns how many. '
  'for_tenant: of this tenant only, where rows belong to tenants. Errors: PV001 unknown collection, PV003 filter, PV004 nothing given or an adopted table, PV006 '
  'tenant, 42501 not allowed to write.';
revoke all on function public.delete_documents(text[], text, jsonb, text, uuid) from public;
select pgvec.grant_execute('public.delete_documents(text[], text, jsonb, text, uuid)', 'reader');
