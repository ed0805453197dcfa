-- Which of the user's own roles may execute a function that clients call: a new signature would lose these grants. The engine
-- grants to its own groups by itself, and a release may revoke a function from them.
select n.nspname || '.' || p.proname as name, r.rolname as role
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
 cross join lateral pg_catalog.aclexplode(p.proacl) as a
  join pg_catalog.pg_roles as r on r.oid = a.grantee
 where n.nspname = 'public'
   and r.oid <> p.proowner
   and r.rolname not in ('anon', 'authenticated', 'service_role', 'pgvec_reader', 'pgvec_writer')
