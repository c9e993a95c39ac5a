-- The roles of the service, and what each may do. Run as an administrator of the database; running it again is harmless.
-- app_owner owns the tables and changes them; app_api serves requests, owns nothing, and is held by row-level security.

do $$
begin
    if not exists (select from pg_roles where rolname = 'app_owner') then
        create role app_owner nologin nobypassrls;
    end if;
    if not exists (select from pg_roles where rolname = 'app_api') then
        create role app_api login nobypassrls;
    end if;
exception
    when duplicate_object or unique_violation then null; -- made by someone else meanwhile
end
$$;

grant usage, create on schema public to app_owner;
grant usage on schema public to app_api;

-- No TRUNCATE: row-level security does not cover it.
alter default privileges for role app_owner in schema public
    grant select, insert, update, delete on tables to app_api;
alter default privileges for role app_owner in schema public
    grant usage, select on sequences to app_api;
