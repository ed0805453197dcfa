-- Twins of each function that the engine has in public: with fewer arguments, and with other types than vectors and texts.

set search_path = pg_catalog, pg_temp;

do $$
declare
  p     record;
  many  int;
  other jsonb;
begin
  for p in select f.*, pg_get_function_result(f.oid) as result from pg_catalog.pg_proc as f
            where f.pronamespace = 'public'::regnamespace and f.proowner <> 'mallory'::regrole and f.proargnames is not null loop
    for many in 1 .. p.pronargs loop
      foreach other in array array['{}', '{"vector": "text"}', '{"vector": "text", "text": "varchar"}', '{"vector": "varchar", "jsonb": "text"}', '{"int4": "int2"}']::jsonb[] loop
        begin
          execute format('create function public.%I(%s) returns %s language plpgsql as %L', p.proname,
            (select string_agg(format('%I %s', p.proargnames[a.place], coalesce(other ->> t.typname::text, format_type(a.type, null))), ', ' order by a.place)
               from unnest(p.proargtypes) with ordinality as a (type, place) join pg_catalog.pg_type as t on t.oid = a.type where a.place <= many),
            p.result, case when p.proretset then 'begin return; end' else 'begin return null; end' end);
        exception when duplicate_function then null;
        end;
      end loop;
    end loop;
  end loop;
end
$$
