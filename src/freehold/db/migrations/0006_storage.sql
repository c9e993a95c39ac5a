-- Buckets, and what is known of their files. The contents lie elsewhere, at the place that a file names.

create table freehold.buckets (
    project_id         text not null references freehold.projects on delete cascade,
    id                 text not null,
    name               text not null,
    description        text not null default '',
    enabled            boolean not null default true,
    file_security      boolean not null default false,
    permissions        text[] not null default '{}',
    maximum_file_size  bigint not null,
    allowed_extensions text[] not null default '{}',
    purpose            text check (purpose in ('exports')),
    folder             text not null unique,
    created_at         timestamptz(3) not null default now(),
    updated_at         timestamptz(3) not null default now(),
    primary key (project_id, id),
    unique (project_id, purpose)
);
comment on column freehold.buckets.purpose is 'What the platform itself keeps there; null for buckets that people made.';
comment on column freehold.buckets.folder is 'Where the contents of its files lie.';

create table freehold.files (
    project_id    text not null,
    bucket_id     text not null,
    id            text not null,
    name          text not null,
    folder        text not null default '',
    permissions   text[] not null default '{}',
    size          bigint not null,
    mime_type     text not null default '',
    md5           text not null default '',
    parts         int[] not null default '{}',
    part_count    int not null,
    whole         boolean not null default false,
    uploader      text not null,
    place         text not null unique,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, bucket_id, id),
    foreign key (project_id, bucket_id) references freehold.buckets on delete cascade
);
comment on column freehold.files.folder is 'The virtual folder, with a slash at its end; empty at the root of the bucket.';
comment on column freehold.files.whole is 'Whether all parts have come. Before that only its uploader knows of it.';
comment on column freehold.files.parts is 'The numbers of the parts that have come.';
create index files_created_at_idx on freehold.files (project_id, bucket_id, created_at, id) include (size) where whole;
create index files_unfinished_idx on freehold.files (updated_at) where not whole;
