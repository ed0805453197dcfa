-- The name, type and default of every argument of a function of schema public: of the engine's own functions, not of
-- others of the same names.
select distinct on (p.proname)
       p.proname as name,
       array(select quote_ident(p.proargnames[t.place]) from unnest(p.proargtypes) with ordinality as t (type, place) order by t.place) as arguments,
       array(select format_type(t.type, null) from unnest(p.proargtypes) with ordinality as t (type, place) order by t.place) as types,
       array(select coalesce(pg_get_function_arg_default(p.oid, t.place::int), 'null')
               from unnest(p.proargtypes) with ordinality as t (type, place)
              order by t.place) as defaults
  from pg_catalog.pg_proc as p
 where p.pronamespace = to_regnamespace('public')
   and p.proargnames is not null
   and p.proowner in (select e.proowner from pg_catalog.pg_proc as e where e.pronamespace = to_regnamespace('pgvec'))
 order by p.proname, p.oid
