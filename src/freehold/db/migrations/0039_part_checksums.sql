-- Parts of an upload are not waited for until they are on the disk; their checksums tell whether one was lost.

alter table freehold.files add column part_checksums bigint[] not null default '{}';
comment on column freehold.files.part_checksums is
    'XXH3 of each part by its number, while the file is not whole. Null: it has not come, or was synced.';

comment on column freehold.files.parts is 'The numbers of the parts that have come, the last first.';

update freehold.files set part_checksums = array_fill(null::bigint, array[part_count]) where not whole;
