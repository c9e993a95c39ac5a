-- Tokens that open the contents of single files to whoever has them.

create table freehold.file_tokens (
    project_id  text not null,
    id          text not null,
    bucket_id   text not null,
    file_id     text not null,
    expires_at  timestamptz(3),
    accessed_at timestamptz(3),
    created_at  timestamptz(3) not null default now(),
    updated_at  timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, bucket_id, file_id) references freehold.files on delete cascade
);
comment on column freehold.file_tokens.expires_at is 'Null for tokens that hold until they are deleted.';
create index file_tokens_file_idx on freehold.file_tokens (project_id, bucket_id, file_id, created_at);
