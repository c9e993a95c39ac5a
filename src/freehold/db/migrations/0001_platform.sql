-- The platform's own tables: projects and who may reach them, users and their sessions, databases, the outbox.
-- project_id stands first in every key, and every statement of the code names it.

create table freehold.projects (
    id            text primary key,
    team_id       text not null,
    name          text not null,
    description   text not null default '',
    region        text not null default 'default',
    status        text not null default 'active',
    labels        text[] not null default '{}',
    settings      jsonb not null default '{}',
    ping_count    bigint not null default 0,
    pinged_at     timestamptz(3),
    accessed_at   timestamptz(3),
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now()
);
comment on column freehold.projects.team_id is 'The organization: a team of the console project.';
create index projects_team_id_idx on freehold.projects (team_id);

-- The console is a project of its own: its users are the people who run the other projects.
insert into freehold.projects (id, team_id, name) values ('console', '', 'Console');

create table freehold.keys (
    project_id    text not null references freehold.projects on delete cascade,
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
    primary key (project_id, id)
);
comment on column freehold.keys.secret_sealed is 'Encrypted under the installation''s secret: the console shows it again.';

create table freehold.platforms (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    type          text not null check (type in ('web', 'apple', 'android', 'windows', 'linux', 'scheme')),
    name          text not null,
    identifier    text not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.platforms.identifier is 'A hostname of a web platform, else the application''s own identifier.';

create table freehold.users (
    project_id          text not null references freehold.projects on delete cascade,
    id                  text not null,
    name                text not null default '',
    email               text,
    phone               text,
    password_hash       text,
    password_changed_at timestamptz(3),
    enabled             boolean not null default true,
    labels              text[] not null default '{}',
    email_verified      boolean not null default false,
    phone_verified      boolean not null default false,
    mfa                 boolean not null default false,
    prefs               jsonb not null default '{}',
    accessed_at         timestamptz(3),
    created_at          timestamptz(3) not null default now(),
    updated_at          timestamptz(3) not null default now(),
    primary key (project_id, id)
);
create unique index users_email_key on freehold.users (project_id, lower(email));
create unique index users_phone_key on freehold.users (project_id, phone);

create table freehold.sessions (
    project_id    text not null,
    id            text not null,
    user_id       text not null,
    secret_digest bytea not null unique,
    provider      text not null,
    provider_uid  text not null default '',
    factors       text[] not null,
    ip            text not null,
    user_agent    text not null,
    mfa_at        timestamptz(3),
    expires_at    timestamptz(3) not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
create index sessions_user_id_idx on freehold.sessions (project_id, user_id, created_at);
create index sessions_expires_at_idx on freehold.sessions (expires_at);

create table freehold.teams (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    name          text not null,
    prefs         jsonb not null default '{}',
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);

create table freehold.memberships (
    project_id    text not null,
    id            text not null,
    team_id       text not null,
    user_id       text not null,
    roles         text[] not null default '{}',
    confirmed     boolean not null default false,
    secret_digest bytea,
    invited_at    timestamptz(3) not null default now(),
    joined_at     timestamptz(3),
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    unique (project_id, team_id, user_id),
    foreign key (project_id, team_id) references freehold.teams on delete cascade,
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
create index memberships_user_id_idx on freehold.memberships (project_id, user_id);

create table freehold.databases (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    name          text not null,
    description   text not null default '',
    enabled       boolean not null default true,
    namespace     text not null unique,
    schema        jsonb,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.databases.namespace is 'The PostgreSQL schema that holds the tables.';
comment on column freehold.databases.schema is 'The schema model last applied from a file; null when the tables were made over the API.';

create table freehold.tables (
    project_id    text not null,
    database_id   text not null,
    id            text not null,
    name          text not null,
    description   text not null default '',
    enabled       boolean not null default true,
    row_security  boolean not null default false,
    permissions   text[] not null default '{}',
    entity        jsonb not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, database_id, id),
    foreign key (project_id, database_id) references freehold.databases on delete cascade
);
comment on column freehold.tables.entity is 'The schema model of the table, with its fields and indexes.';

create table freehold.columns (
    project_id    text not null,
    database_id   text not null,
    table_id      text not null,
    key           text not null,
    type          text not null,
    format        text not null default '',
    field_id      text not null,
    position      bigint generated always as identity,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, database_id, table_id, key),
    foreign key (project_id, database_id, table_id) references freehold.tables
        on update cascade on delete cascade
);
comment on table freehold.columns is 'What the API knows of a column beside its field in the schema model.';

create table freehold.indexes (
    project_id    text not null,
    database_id   text not null,
    table_id      text not null,
    key           text not null,
    type          text not null,
    description   text not null default '',
    columns       text[] not null,
    orders        text[] not null,
    lengths       int[] not null,
    position      bigint generated always as identity,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, database_id, table_id, key),
    foreign key (project_id, database_id, table_id) references freehold.tables
        on update cascade on delete cascade
);
comment on table freehold.indexes is 'What the API knows of an index beside its place in the schema model.';

create table freehold.outbox (
    id            bigint generated always as identity primary key,
    project_id    text not null,
    event         text not null,
    payload       jsonb,
    actor         text not null,
    request_id    text not null,
    created_at    timestamptz(3) not null default now()
);
comment on table freehold.outbox is 'What has happened, written in the transaction in which it happened. Readers follow the ids.';
create index outbox_created_at_idx on freehold.outbox using brin (created_at);

create unlogged table freehold.rate_limits (
    key           bytea not null,
    window_start  timestamptz(3) not null,
    hits          int not null,
    expires_at    timestamptz(3) not null,
    primary key (key, window_start)
);
create index rate_limits_expires_at_idx on freehold.rate_limits (expires_at);
