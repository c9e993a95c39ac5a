-- Secrets that were sent to somebody, or given to a server, to be handed in once: links, codes, and tokens for sessions.

create table freehold.tokens (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    handle        text not null,
    user_id       text,
    kind          text not null,
    secret_digest bytea not null,
    guessable     boolean not null,
    attempts      int not null default 0,
    address       text not null default '',
    data          jsonb not null default '{}',
    expires_at    timestamptz(3) not null,
    created_at    timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.tokens.handle is 'The user id that it is handed in with. To whoever asked it does not tell whether there is such a user.';
comment on column freehold.tokens.user_id is 'Null when nobody has the address yet: who proves it becomes a user.';
comment on column freehold.tokens.address is 'The e-mail address or phone number that it was sent to, which handing it in proves.';
create index tokens_handle_idx on freehold.tokens (project_id, handle);
create index tokens_user_id_idx on freehold.tokens (project_id, user_id);
create index tokens_expires_at_idx on freehold.tokens (expires_at);
