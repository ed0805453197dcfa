-- The collections whose rows the caller may read, as JSON.
select coalesce(json_agg(
         json_build_object('name', c.name, 'model', c.model, 'dimensions', c.dimensions, 'distance', c.distance, 'language', c.language, 'access', c.access)
         order by c.name), '[]')::text
  from pgvec.collections as c
 where has_table_privilege(c.relation::oid, 'select')
