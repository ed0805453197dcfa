-- The databases that can be connected to.
select d.datname from pg_catalog.pg_database as d where d.datallowconn order by d.datname
