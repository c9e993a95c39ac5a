-- Where messages reach users: their e-mail address and phone number, kept in step with the user, and their devices.

create table freehold.targets (
    project_id    text not null,
    id            text not null,
    user_id       text not null,
    session_id    text,
    provider_id   text,
    provider_type text not null check (provider_type in ('email', 'sms', 'push')),
    identifier    text not null,
    name          text not null default '',
    expired       boolean not null default false,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade,
    foreign key (project_id, session_id) references freehold.sessions on delete cascade
);
comment on column freehold.targets.session_id is 'Of a device: it gets no messages any more once it is signed out.';
create unique index targets_identifier_key on freehold.targets (project_id, user_id, provider_type, identifier);
create unique index targets_device_key on freehold.targets (project_id, identifier) where provider_type = 'push';
create index targets_session_id_idx on freehold.targets (project_id, session_id) where session_id is not null;

-- Users are written in many places; here none of them can forget the target.
create function freehold.keep_target(owner freehold.users, kind text, was text, becomes text) returns void
language plpgsql as $$
declare
    moment timestamptz := clock_timestamp();
begin
    if was is not distinct from becomes then
        return;
    end if;
    delete from freehold.targets t
    where t.project_id = owner.project_id and t.user_id = owner.id and t.provider_type = kind
      and t.identifier = becomes;
    update freehold.targets t set identifier = becomes, expired = false, updated_at = now()
    where t.project_id = owner.project_id and t.user_id = owner.id and t.provider_type = kind
      and t.identifier = was and becomes is not null;
    if found then
        return;
    end if;
    delete from freehold.targets t
    where t.project_id = owner.project_id and t.user_id = owner.id and t.provider_type = kind
      and t.identifier = was;
    if becomes is not null then
        insert into freehold.targets (project_id, id, user_id, provider_type, identifier)
        values (
            owner.project_id,
            -- As the server makes ids: 13 digits of the time, 7 by chance.
            lpad(to_hex(floor(extract(epoch from moment))::bigint), 8, '0')
                || lpad(to_hex(extract(microseconds from moment)::bigint % 1000000), 5, '0')
                || substr(replace(gen_random_uuid()::text, '-', ''), 1, 7),
            owner.id, kind, becomes
        );
    end if;
end
$$;

create function freehold.keep_targets() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform freehold.keep_target(new, 'email', null, new.email);
        perform freehold.keep_target(new, 'sms', null, new.phone);
    else
        perform freehold.keep_target(new, 'email', old.email, new.email);
        perform freehold.keep_target(new, 'sms', old.phone, new.phone);
    end if;
    return null;
end
$$;

create trigger users_keep_targets after insert or update of email, phone on freehold.users
    for each row execute function freehold.keep_targets();

-- Those who were there before.
select freehold.keep_target(u, 'email', null, u.email), freehold.keep_target(u, 'sms', null, u.phone)
from freehold.users u;
