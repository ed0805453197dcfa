-- depends: 0001.engine
-- Resume points of loads: how far into a file a load had come when its last batch was committed.

create table if not exists pgvec.loads (
  collection  text not null references pgvec.collections (name) on update cascade on delete cascade,
  source      text not null,
  fingerprint text not null,
  position    bigint not null check (position > 0),
  last_id     text not null,
  updated_at  timestamptz not null default now(),
  primary key (collection, source)
);

comment on table  pgvec.loads             is 'Loads that have not ended: a row a file, written together with each batch, removed with the last.';
comment on column pgvec.loads.collection  is 'The collection that is loaded.';
comment on column pgvec.loads.source      is 'The file, as it was named.';
comment on column pgvec.loads.fingerprint is 'Hash of the file''s size and time and of the options; a load with another one begins anew.';
comment on column pgvec.loads.position    is 'Documents of the file that are done.';
comment on column pgvec.loads.last_id     is 'Last row that was stored; where it is gone, the load begins anew.';
comment on column pgvec.loads.updated_at  is 'When the last batch was committed.';

revoke all on table pgvec.loads from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role', 'pgvec_writer')
  loop
    execute format('grant select, insert, update, delete on table pgvec.loads to %I', role_name);
  end loop;
end
$$;
