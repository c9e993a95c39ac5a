-- The second factor: authenticator apps, recovery codes, and the challenges that ask for one.

create table freehold.authenticators (
    project_id    text not null,
    user_id       text not null,
    type          text not null check (type = 'totp'),
    secret_sealed bytea not null,
    verified      boolean not null default false,
    last_step     bigint not null default 0,
    created_at    timestamptz(3) not null default now(),
    primary key (project_id, user_id, type),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.authenticators.last_step is 'The time step of the last code that was taken: none is taken twice.';

create table freehold.recovery_codes (
    project_id    text not null,
    user_id       text not null,
    codes_sealed  bytea not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, user_id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.recovery_codes.codes_sealed is 'Encrypted under the installation''s secret: the user may see them again.';

create table freehold.mfa_challenges (
    project_id    text not null,
    id            text not null,
    user_id       text not null,
    session_id    text not null,
    factor        text not null,
    code_sealed   bytea,
    attempts      int not null default 0,
    expires_at    timestamptz(3) not null,
    created_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, session_id) references freehold.sessions on delete cascade
);
comment on column freehold.mfa_challenges.code_sealed is 'What was sent to the user; null when the user has the code already.';
create index mfa_challenges_session_id_idx on freehold.mfa_challenges (project_id, session_id);
create index mfa_challenges_expires_at_idx on freehold.mfa_challenges (expires_at);
