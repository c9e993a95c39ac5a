-- How the contents of files lie in the store: compressed, encrypted, and which key opens them.

alter table freehold.buckets
    add column compression    text not null default 'none' check (compression in ('none', 'gzip', 'zstd')),
    add column encryption     boolean not null default false,
    add column antivirus      boolean not null default false,
    add column strip_metadata boolean not null default false;

alter table freehold.files
    add column stored_size bigint,
    add column sent_size   bigint,
    add column compression text not null default 'none' check (compression in ('none', 'gzip', 'zstd')),
    add column frames      int[] not null default '{}',
    add column key_id      text not null default '',
    add column sealed_key  bytea;
update freehold.files set sent_size = size;
alter table freehold.files alter column sent_size set not null;
comment on column freehold.files.sent_size is 'How many bytes were uploaded, of which an image that was rid of its metadata has fewer.';
comment on column freehold.files.stored_size is 'How many bytes lie in the store; null of files from before this was noted, whose contents lie there as they are.';
comment on column freehold.files.frames is 'How long each compressed frame is in the store.';
comment on column freehold.files.key_id is 'Which of the installation''s keys sealed the file''s own; empty when the contents are not encrypted.';
create index files_key_idx on freehold.files (key_id, place) where key_id <> '';

create table freehold.bucket_sizes (
    project_id text not null references freehold.projects on delete cascade,
    hour       timestamptz(3) not null,
    bucket_id  text not null,
    files      bigint not null,
    bytes      bigint not null,
    primary key (project_id, hour, bucket_id)
);
comment on table freehold.bucket_sizes is 'What buckets held when they were last measured in an hour. It outlives them, and is pruned by time.';
create index bucket_sizes_hour_idx on freehold.bucket_sizes using brin (hour);
