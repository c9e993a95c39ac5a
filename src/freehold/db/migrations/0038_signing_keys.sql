-- What users' JWTs are signed with: of each project a key, and those of before whose tokens have not all ended.

create table freehold.signing_keys (
    project_id     text not null references freehold.projects on delete cascade,
    id             text not null,
    public_key     jsonb not null,
    private_sealed bytea not null,
    signs_from     timestamptz(3) not null default now(),
    ends_at        timestamptz(3) not null default 'infinity',
    created_at     timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.signing_keys.id is 'The `kid`: the thumbprint of the key (RFC 7638).';
comment on column freehold.signing_keys.private_sealed is 'Encrypted under the installation''s secret.';
comment on column freehold.signing_keys.ends_at is 'When the last token that it signed has ended, once another key is to sign.';
create unique index signing_keys_newest_idx on freehold.signing_keys (project_id) where ends_at = 'infinity';
create index signing_keys_ends_at_idx on freehold.signing_keys (ends_at);
