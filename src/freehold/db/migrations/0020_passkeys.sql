-- Passkeys (WebAuthn), and the challenges that register one or sign in with one.

create table freehold.passkeys (
    project_id    text not null,
    id            text not null,
    user_id       text not null,
    name          text not null default '',
    rp_id         text not null,
    credential_id bytea not null,
    public_key    bytea not null,
    sign_count    bigint not null,
    accessed_at   timestamptz(3),
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.passkeys.rp_id is 'The domain that it was made for.';
create unique index passkeys_credential_id_key on freehold.passkeys (project_id, credential_id);
create index passkeys_user_id_idx on freehold.passkeys (project_id, user_id);

create table freehold.passkey_challenges (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    challenge     bytea not null,
    rp_id         text not null,
    user_id       text,
    passkey_id    text,
    passkey_name  text not null default '',
    expires_at    timestamptz(3) not null,
    created_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.passkey_challenges.user_id is 'Who registers a passkey; null when somebody signs in, nobody knows who.';
create unique index passkey_challenges_passkey_key
    on freehold.passkey_challenges (project_id, user_id, passkey_id) where user_id is not null;
create index passkey_challenges_expires_at_idx on freehold.passkey_challenges (expires_at);
