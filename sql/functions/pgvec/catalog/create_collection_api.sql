-- pgvec.create_collection_api -- search functions named after a collection, for clients that can choose only a function.
-- match_jobs, kw_match_jobs and hybrid_search_jobs are match_documents, kw_match_documents and hybrid_search without the
-- argument collection. They are generated from these, so that calling it again after an upgrade brings them up to date; grants
-- stay.
-- They pass all arguments by position and with their types: another function of the name would otherwise make the call
-- ambiguous, or be called instead.
create or replace function pgvec.create_collection_api(name text)
  returns setof regprocedure
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(create_collection_api.name);
  granted jsonb;  -- the grants on them before
  role_name name;
  item    record;
begin
  granted := (
    select jsonb_object_agg(p.proname, (select jsonb_agg(r.rolname) from aclexplode(p.proacl) as a join pg_catalog.pg_roles as r on r.oid = a.grantee))
      from pg_catalog.pg_proc as p
     where p.pronamespace = 'public'::regnamespace
       and pgvec.is_api_of(target.name, p.oid));
  perform pgvec.drop_collection_api(target.name);
  for item in
    select format('public.%I', a.prefix || target.name) as made, p.oid, p.proname, a.arguments, a.passed, pg_get_function_result(p.oid) as result
      from (values ('match_', 'match_documents'), ('kw_match_', 'kw_match_documents'), ('hybrid_search_', 'hybrid_search')) as f (prefix, source)
      join pg_catalog.pg_proc as p on p.pronamespace = 'public'::regnamespace and p.proname = f.source
      join pg_catalog.pg_namespace as n on n.nspname = 'pgvec' and n.nspowner = p.proowner  -- not another owner's function
     cross join lateral (
           select f.prefix,
                  string_agg(format('%I %s', x.name, x.type) || coalesce(' default ' || x.given, ''), ', ' order by x.place) filter (where not x.is_fixed) as arguments,
                  string_agg(case when x.is_fixed then format('%L::text', target.name) else '$' || x.number end, ', ' order by x.place) as passed
             from (select y.name, format_type(y.type, null) as type, pg_get_function_arg_default(p.oid, y.place::int) as given, y.place, y.name = 'collection' as is_fixed,
                          count(*) filter (where y.name <> 'collection') over (order by y.place) as number
                     from unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) with ordinality as y (name, type, place)) as x) as a
     order by f.prefix
  loop
    if to_regproc(item.made) is not null then
      raise exception using
        errcode = 'PV004',
        message = format('there is a function %s already', item.made),
        hint    = 'rename it, or call the collection by another name';
    end if;
    execute format('create function %s(%s) returns %s language sql stable parallel unsafe security invoker set search_path = pg_catalog, pg_temp as %L',
                   item.made, item.arguments, item.result,
                   format('select * from public.%I(%s)', item.proname, item.passed));
    execute format('comment on function %s is %L', item.made, format('%s of collection %s.', item.proname, target.name));
    perform pgvec.grant_execute(to_regproc(item.made)::regprocedure, 'reader');
    for role_name in
      select g from jsonb_array_elements_text(granted -> (parse_ident(item.made))[2]) as g
    loop
      execute format('grant execute on function %s to %I', to_regproc(item.made)::regprocedure, role_name);
    end loop;
    return next to_regproc(item.made)::regprocedure;
  end loop;
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.create_collection_api(text) is
  'Makes public.match_NAME, kw_match_NAME and hybrid_search_NAME: the search functions without the argument collection. '
  'Returns them. Raises PV001, and PV004 where there is another function of that name.';
revoke all on function pgvec.create_collection_api(text) from public;
