-- Whether the files of a bucket can be shown as images of other sizes and formats.

alter table freehold.buckets add column transformations boolean not null default true;
