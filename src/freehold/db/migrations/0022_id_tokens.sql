-- ID tokens that apps have signed in with: each opens one session.

create table freehold.used_id_tokens (
    project_id text not null references freehold.projects on delete cascade,
    digest     bytea not null,
    expires_at timestamptz(3) not null,
    primary key (project_id, digest)
);
create index used_id_tokens_expires_at_idx on freehold.used_id_tokens (project_id, expires_at);
