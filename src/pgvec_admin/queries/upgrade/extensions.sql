-- Extensions older than those that the server brings.
select e.extname
  from pg_catalog.pg_extension as e
  join pg_catalog.pg_available_extensions as a on a.name = e.extname
 where a.default_version <> e.extversion
