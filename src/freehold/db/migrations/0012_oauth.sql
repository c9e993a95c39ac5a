-- Signing in with other vendors: what projects have registered with them, and who is whom there.

create table freehold.oauth_providers (
    project_id        text not null references freehold.projects on delete cascade,
    provider          text not null,
    enabled           boolean not null default false,
    client_id         text not null default '',
    secret_sealed     bytea,
    options           jsonb not null default '{}',
    prompt            text[],
    native_enabled    boolean not null default false,
    native_client_ids text[] not null default '{}',
    created_at        timestamptz(3) not null default now(),
    updated_at        timestamptz(3) not null default now(),
    primary key (project_id, provider)
);
comment on column freehold.oauth_providers.secret_sealed is 'Encrypted under the installation''s secret; null when there is none.';
comment on column freehold.oauth_providers.options is 'What else the vendor has to be told, by the names on the wire.';
comment on column freehold.oauth_providers.prompt is 'What the vendor is to show; null for its default.';

create table freehold.identities (
    project_id        text not null,
    id                text not null,
    user_id           text not null,
    provider          text not null,
    provider_uid      text not null,
    provider_email    text not null default '',
    access_sealed     bytea,
    access_expires_at timestamptz(3),
    refresh_sealed    bytea,
    id_token_sealed   bytea,
    created_at        timestamptz(3) not null default now(),
    updated_at        timestamptz(3) not null default now(),
    primary key (project_id, id),
    unique (project_id, provider, provider_uid),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
create index identities_user_id_idx on freehold.identities (project_id, user_id, created_at);

create table freehold.oauth_states (
    project_id     text not null references freehold.projects on delete cascade,
    digest         bytea not null,
    provider       text not null,
    browser_digest bytea,
    user_id        text,
    success        text not null,
    failure        text not null,
    wants_token    boolean not null,
    app_state      text not null default '',
    redirect_uri   text not null,
    nonce          text not null,
    verifier       text not null,
    expires_at     timestamptz(3) not null,
    primary key (project_id, digest)
);
comment on table freehold.oauth_states is 'Sign-ins that are under way: each is taken out by the first answer to it.';
comment on column freehold.oauth_states.browser_digest is 'The browser that it began in; null when a server began it with an API key.';
comment on column freehold.oauth_states.user_id is 'Who was signed in when it began, and wants the identity for this account.';
create index oauth_states_expires_at_idx on freehold.oauth_states (project_id, expires_at);
