-- What the checks before a migration need to know of the server and of the role that is connected.
select current_setting('server_version_num')::int / 10000 as postgres,
       pg_is_in_recovery() as standby,
       e.extversion as vector_version,
       quote_ident(v.nspname) as vector_schema,
       (select a.default_version
          from pg_catalog.pg_available_extensions as a
         where a.name = 'vector') as vector_available,
       pg_get_userbyid(n.nspowner) as pgvec_owner,
       coalesce(pg_has_role(n.nspowner, 'usage'), false) as owns_pgvec,
       has_database_privilege(current_database(), 'create') as may_create_schema,
       has_schema_privilege('public', 'create') as may_create_in_public,
       current_user::text as role
  from (values (1)) as always
  left join pg_catalog.pg_extension as e on e.extname = 'vector'
  left join pg_catalog.pg_namespace as v on v.oid = e.extnamespace
  left join pg_catalog.pg_namespace as n on n.nspname = 'pgvec'
