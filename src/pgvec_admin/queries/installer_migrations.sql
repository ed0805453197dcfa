-- Applies the migrations of an exported file, with the bookkeeping that yoyo does.

create table if not exists pgvec._yoyo_migration (
  migration_hash varchar(64) primary key, migration_id varchar(255), applied_at_utc timestamp);
create table if not exists pgvec._yoyo_log (
  id varchar(36) primary key, migration_hash varchar(64), migration_id varchar(255), operation varchar(10),
  username varchar(255), hostname varchar(255), comment varchar(255), created_at_utc timestamp);
create table if not exists pgvec._yoyo_version (version int not null primary key, installed_at_utc timestamp);
insert into pgvec._yoyo_version (version, installed_at_utc)
values (2, now() at time zone 'utc')
    on conflict do nothing;

create or replace function pg_temp.apply_migration(migration text, hash text, definition text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
begin
  if exists (select from pgvec._yoyo_migration as m where m.migration_id = migration) then
    return;
  end if;
  execute definition;
  insert into pgvec._yoyo_migration (migration_hash, migration_id, applied_at_utc)
  values (encode(sha256(convert_to(migration, 'utf8')), 'hex'), migration, now() at time zone 'utc');
  insert into pgvec.migration_files (id, sha256) values (migration, hash)
      on conflict do nothing;
end
$installer$;
