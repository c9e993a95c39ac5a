-- The roles of the service, and what each may do. Run as an administrator of the database; running it again is harmless.
-- app_owner owns the tables and changes them; app_api serves requests, owns nothing, and is held by row-level security;
-- app_admin is for jobs that cross tenants, such as the seeds: it sees every row, owns nothing, and serves nobody.

do $$
begin
    if not exists (select from pg_roles where rolname = 'app_owner') then
        create role app_owner nologin nobypassrls;
    end if;
    if not exists (select from pg_roles where rolname = 'app_api') then
        create role app_api login nobypassrls;
    end if;
    if not exists (select from pg_roles where rolname = 'app_admin') then
        begin
            create role app_admin login bypassrls;
        exception
            when insufficient_privilege then -- only who bypasses row-level security may let others
                create role app_admin login;
                raise notice 'app_admin is held by row-level security: let a superuser alter role app_admin bypassrls';
        end;
    end if;
exception
    when duplicate_object or unique_violation then null; -- made by someone else meanwhile
end
$$;

-- An administrator who is no superuser, as on a managed PostgreSQL, acts as these roles by being a member.
do $$
begin
    if not pg_has_role(current_user, 'app_owner', 'usage') then
        execute format('grant app_owner to %I', current_user);
    end if;
    if not pg_has_role(current_user, 'app_admin', 'usage') then
        execute format('grant app_admin to %I', current_user);
    end if;
end
$$;

grant usage, create on schema public to app_owner;
-- To compare tables with what the migrations make, those are made in a schema that is rolled back.
do $$ begin execute format('grant create on database %I to app_owner', current_database()); end $$;
grant usage on schema public to app_api, app_admin;

-- No TRUNCATE: row-level security does not cover it.
alter default privileges for role app_owner in schema public
    grant select, insert, update, delete on tables to app_api, app_admin;
alter default privileges for role app_owner in schema public
    grant usage, select on sequences to app_api;
alter default privileges for role app_owner in schema public
    grant usage, select, update on sequences to app_admin;
