-- What the people who run a project set up in it: variables, webhooks, and keys for development.

create table freehold.variables (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    resource_type text not null,
    resource_id   text not null,
    key           text not null,
    description   text not null default '',
    value_sealed  bytea not null,
    secret        boolean not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    unique (project_id, resource_type, resource_id, key)
);
comment on column freehold.variables.secret is 'Never shown again. What is secret stays it.';

create table freehold.webhooks (
    project_id           text not null references freehold.projects on delete cascade,
    id                   text not null,
    name                 text not null,
    description          text not null default '',
    url                  text not null,
    events               text[] not null,
    enabled              boolean not null default true,
    tls                  boolean not null,
    auth_username        text not null default '',
    auth_password_sealed bytea,
    secret_sealed        bytea not null,
    logs                 text not null default '',
    attempts             int not null default 0,
    created_at           timestamptz(3) not null default now(),
    updated_at           timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.webhooks.secret_sealed is 'What deliveries are signed with; encrypted under the installation''s secret.';
comment on column freehold.webhooks.tls is 'Whether the certificate of the receiver is checked.';

create table freehold.dev_keys (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    name          text not null,
    secret_digest bytea not null unique,
    secret_sealed bytea not null,
    expires_at    timestamptz(3) not null,
    accessed_at   timestamptz(3),
    sdks          text[] not null default '{}',
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on table freehold.dev_keys is 'Who sends one is spared the check of the origin and the rate limits, and nothing else.';
