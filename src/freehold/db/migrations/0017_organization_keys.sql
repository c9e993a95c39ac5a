-- Keys that act for an organization on the console: they make and keep its projects.

create table freehold.organization_keys (
    project_id    text not null default 'console' check (project_id = 'console'),
    team_id       text not null,
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
    primary key (team_id, id),
    foreign key (project_id, team_id) references freehold.teams on delete cascade
);
