-- The timeline of a primary, which a promotion raises; null on a replica.
select case when not pg_catalog.pg_is_in_recovery()
            then ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 end
