-- What a service needs to know about a collection: its embedding model, what its texts are embedded with, and the indexes that a search may use.
select c.model, c.dimensions, c.settings ->> 'passage_prefix', c.settings ->> 'too_long',
       array(select t.relid::oid::bigint from pg_partition_tree(c.search_index_oid) as t union select c.search_index_oid::bigint where c.search_index_oid is not null)
  from pgvec.of_model(%(collection)s) as c
