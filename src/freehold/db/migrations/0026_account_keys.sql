-- Keys that act for a user's account on the console, where nobody can sign in.

create table freehold.account_keys (
    project_id    text not null default 'console' check (project_id = 'console'),
    user_id       text not null,
    id            text not null,
    name          text not null,
    description   text not null default '',
    secret_digest bytea not null unique,
    secret_sealed bytea not null,
    scopes        text[] not null,
    expires_at    timestamptz(3),
    accessed_at   timestamptz(3),
    sdks          text[] not null default '{}',
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (user_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
