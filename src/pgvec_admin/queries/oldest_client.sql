-- The result of pgvec.oldest_client(), from the catalog, which every role may read; no row where there is no such function.
select substring(p.prosrc from '''([0-9.]+)''')
  from pg_catalog.pg_proc as p
 where p.pronamespace = to_regnamespace('pgvec')
   and p.proname = 'oldest_client'
