-- Traps that a role with CREATE on schema public can set there for a stronger one, run as that role: for each function of
-- pg_catalog that is named in `names`, and for its operators, twins that fit other types better; and views and domains
-- with the catalog's names. Each is PL/pgSQL, so that pg_stat_user_functions counts its calls.

set search_path = pg_catalog, pg_temp;

create function public.looked_at() returns boolean language plpgsql as 'begin return true; end';

do $$
declare
  swap  jsonb;
  types text[];
  p     record;
begin
  for p in select distinct on (f.proname, f.proargtypes::text) f.proname, f.proargtypes, f.provariadic, f.proretset from pg_proc as f
            where f.pronamespace = 'pg_catalog'::regnamespace and f.prokind in ('f', 'a') and f.proname = any (string_to_array(:names, ',')) and f.pronargs < 6
  loop
    for swap in select * from jsonb_array_elements('[
      {"text": "name", "any": "text", "oid": "regclass", "float8": "numeric", "int4": "int2", "int8": "int4", "regclass": "oid", "jsonb": "json", "name": "text", "timestamptz": "timestamp", "numeric": "int8"},
      {"text": "varchar", "any": "name", "oid": "regproc", "float8": "int4", "int4": "int8", "int8": "oid", "regclass": "text", "name": "varchar", "regprocedure": "oid"},
      {"any": "int8", "oid": "int8", "float8": "int8", "int4": "oid", "int8": "float8", "numeric": "float8"},
      {"any": "oid", "oid": "int4", "text": "regclass"}, {"any": "jsonb", "text": "regtype"}, {"any": "varchar"}, {"any": "regclass"}, {"any": "bool"}, {"any": "float8"}, {"any": "int4"}]')
    loop
      types := array(select coalesce(swap ->> case when t.typname ~ '^any' then 'any' else t.typname::text end, case when t.typname ~ '^any' then 'text' else t.typname::text end)
                            || case when t.typname ~ '^any.*array$' then '[]' else '' end
                       from unnest(p.proargtypes) with ordinality as a (type, place) join pg_type as t on t.oid = a.type order by a.place);
      for more in 0 .. case when p.provariadic <> 0 then 3 else 0 end loop
        begin
          execute format('create function public.%I(%s) returns text language plpgsql as %L', p.proname,
                         array_to_string(types || array_fill(types[cardinality(types)], array[more]), ', '), 'begin return null; end');
        exception when others then null;  -- an impossible type or name
        end;
      end loop;
    end loop;
  end loop;
end
$$;

do $$
declare
  types constant text[] := '{name,text,varchar,"\"char\"",oid,regclass,int2,int4,int8,float8,numeric,bool,jsonb,uuid,xid,text[],oid[],name[],int8[]}';
  one   text;
  other text;
  op    text;
begin
  foreach one in array types loop
    foreach other in array types loop
      execute format('create function public.fits(%s, %s) returns boolean language plpgsql as %L', one, other, 'begin return null; end');
      execute format('create function public.joins(%s, %s) returns text language plpgsql as %L', one, other, 'begin return null; end');
      foreach op in array '{=,<>,<,>,<=,>=,~,!~,~~,@>,?}'::text[] loop
        if to_regoperator(format('%s(%s, %s)', op, one, other)) is null then
          execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.fits)', op, one, other);
        end if;
      end loop;
      foreach op in array '{||,+,-,*,/,->,->>}'::text[] loop
        if to_regoperator(format('%s(%s, %s)', op, one, other)) is null then
          execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.joins)', op, one, other);
        end if;
      end loop;
    end loop;
  end loop;
  foreach one in array '{pg_class,pg_proc,pg_namespace,pg_extension,pg_roles,pg_settings,pg_index,pg_type}'::text[] loop
    execute format('create view public.%I as select * from pg_catalog.%1$I where public.looked_at()', one);
  end loop;
  foreach one in array '{text,name,jsonb,uuid,oid,regclass,interval,float8}'::text[] loop
    execute format('create domain public.%I as pg_catalog.%1$I check (public.looked_at())', one);
  end loop;
end
$$;
