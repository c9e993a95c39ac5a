-- What is known of users besides: who may act for others, which mailbox an address belongs to, former passwords.

create function freehold.canonical_email(email text) returns text
language sql immutable strict parallel safe
return (
    select case
        when domain in ('gmail.com', 'googlemail.com') then replace(name, '.', '') || '@gmail.com'
        when domain ~ '^(yahoo|ymail|rocketmail)\.' then split_part(name, '-', 1) || '@' || domain
        else name || '@' || domain
    end
    from (
        select split_part(split_part(lower(email), '@', 1), '+', 1), split_part(lower(email), '@', 2)
    ) parts (name, domain)
);
comment on function freehold.canonical_email is
    'The address of the mailbox itself: without the tags and dots that its provider does not tell apart.';

alter table freehold.users
    add impersonator boolean not null default false,
    add email_canonical text generated always as (freehold.canonical_email(email)) stored;
create index users_email_canonical_idx on freehold.users (project_id, email_canonical);
create index users_created_at_idx on freehold.users (project_id, created_at, id);
create index sessions_created_at_idx on freehold.sessions (project_id, created_at);

create table freehold.former_passwords (
    project_id    text not null,
    user_id       text not null,
    position      bigint generated always as identity,
    password_hash text not null,
    created_at    timestamptz(3) not null default now(),
    primary key (project_id, user_id, position),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on table freehold.former_passwords is 'Only as many as the project does not allow to be taken again.';

-- Passwords are written in many places; here none of them can forget the former one.
create function freehold.remember_password() returns trigger
language plpgsql as $$
declare
    refused int := (
        select coalesce((settings #>> '{policies,password-history,total}')::int, 0)
        from freehold.projects where id = new.project_id
    );
begin
    insert into freehold.former_passwords (project_id, user_id, password_hash)
    values (old.project_id, old.id, old.password_hash);
    delete from freehold.former_passwords f
    where f.project_id = new.project_id and f.user_id = new.id and f.position not in (
        select kept.position from freehold.former_passwords kept
        where kept.project_id = new.project_id and kept.user_id = new.id
        order by kept.position desc
        limit greatest(refused - 1, 0)  -- the one that the user has is refused too
    );
    return null;
end
$$;

create trigger users_remember_password after update of password_hash on freehold.users
    for each row
    when (
        old.password_hash is not null
        and old.password_hash is distinct from new.password_hash
        -- else it is another hash of the same password
        and old.password_changed_at is distinct from new.password_changed_at
    )
    execute function freehold.remember_password();
