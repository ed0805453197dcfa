-- pgvec.check_adoption -- PV004 for a table, or columns of it, that cannot become a collection.
drop function if exists pgvec.check_adoption(regclass, text, text[], text);

create or replace function pgvec.check_adoption(relation regclass, embedding_column text, content_columns text[], metadata_column text, add_columns boolean)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  owner text := (select c.name from pgvec.collections as c where c.relation = check_adoption.relation or c.base = check_adoption.relation and c.base = c.relation);
begin
  if owner is not null then
    raise exception using
      errcode = 'PV004',
      message = format('%s is the table of collection %L already', relation, owner),
      hint    = format('search it as it is: collection => %L', owner);
  end if;
  if not exists (select
                   from pg_catalog.pg_class as r
                  where r.oid = relation
                    and r.relkind in ('r', 'p')
                    and r.relpersistence <> 't'
                    and r.relnamespace not in ('pgvec'::regnamespace, 'pg_catalog'::regnamespace)) then
    raise exception using
      errcode = 'PV004',
      message = format('%s is no table that can be adopted', coalesce(relation::text, 'null')),
      hint    = case (select r.relpersistence from pg_catalog.pg_class as r where r.oid = relation)
                  when 't' then 'a temporary table is gone with its session: copy it into one that stays'
                  else 'name a table of your own; of a view, the table that it reads'
                end;
  end if;
  if add_columns and not pgvec.is_trusted(relation, to_write => true) then
    raise exception using
      errcode = 'PV004',
      message = format('to fill columns of %s would run its triggers as %s', relation, current_user),
      hint    = format('leave add_columns out: lexemes are kept in a table of the engine''s own then; or adopt it as a role no stronger than %s',
                       (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = relation));
  end if;
  if (select r.relispartition from pg_catalog.pg_class as r where r.oid = relation)
     and (add_columns
          or not exists (select from pg_catalog.pg_attribute as a where a.attrelid = relation and a.attname = embedding_column and not a.attisdropped))
  then
    raise exception using
      errcode = 'PV004',
      message = format('%s is a partition, to which no column can be added', relation),
      hint    = 'leave add_columns out, and let all partitions have a column of vectors: alter table ... add column embedding extensions.vector(...)';
  end if;
  if coalesce(embedding_column, '') = '' or octet_length(embedding_column) > 63 then
    raise exception using
      errcode = 'PV004',
      message = format('embedding_column cannot be %s', pgvec.shown(embedding_column)),
      hint    = 'the name of a column of vectors, or of a new one, of at most 63 bytes';
  end if;
  if coalesce(cardinality(content_columns), 0) = 0 or exists (select from unnest(content_columns) as c where c is null) then
    raise exception using
      errcode = 'PV004',
      message = format('content_columns cannot be %s', coalesce(left(content_columns::text, 80), 'null')),
      hint    = 'the columns that make up the text, at least one: content_columns => ''{title,description}''';
  end if;
  perform pgvec.check_columns(relation, content_columns || metadata_column);
  -- a trigger does not see what the server computes later than it runs
  if exists (select
               from pg_catalog.pg_attribute as a
              where a.attrelid = relation and a.attname = any (content_columns) and (a.attgenerated = 'v' or a.attgenerated = 's' and add_columns)) then
    raise exception using
      errcode = 'PV004',
      message = format('a column of the text of %s is generated, and its value comes too late for a trigger', relation),
      hint    = 'name the columns that it is generated from; a stored one can be part of the text without add_columns';
  end if;
  if metadata_column is not null and not exists (
       select from pg_catalog.pg_attribute as a where a.attrelid = relation and a.attname = metadata_column and a.atttypid in ('jsonb'::regtype, 'json'::regtype)) then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is not of type jsonb or json', metadata_column, relation),
      hint    = 'name a column of type jsonb or json, or pass an empty one: then the other columns are the metadata';
  end if;
end
$$;
comment on function pgvec.check_adoption(regclass, text, text[], text, boolean) is
  'Raises PV004 for anything but a table of the user''s own, for one that is a collection already, for columns to add to a weaker role''s table, for a name that no '
  'column can have, for no content columns, and for metadata that is not jsonb or json.';
revoke all on function pgvec.check_adoption(regclass, text, text[], text, boolean) from public;
