"""SQL of buckets and of what is known of their files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, number, text
from freehold.db.pool import Queries, Record
from freehold.services.storage.contents import Stored
from freehold.services.storage.errors import BucketAlreadyExists

_TOTAL_SIZE = """
    (select coalesce(sum(f.size), 0)::bigint from freehold.files f
     where f.project_id = b.project_id and f.bucket_id = b.id and f.whole)
"""
_BUCKET = f"b.*, {_TOTAL_SIZE} as total_size"

BUCKETS = Listing(
    columns=_BUCKET,
    source="freehold.buckets b",
    id="b.id",
    created_at="b.created_at",
    attributes={
        "$id": text("b.id"),
        "$createdAt": moment("b.created_at"),
        "$updatedAt": moment("b.updated_at"),
        "name": text("b.name"),
        "enabled": flag("b.enabled"),
        "fileSecurity": flag("b.file_security"),
        "maximumFileSize": number("b.maximum_file_size"),
        "compression": text("b.compression"),
        "encryption": flag("b.encryption"),
        "antivirus": flag("b.antivirus"),
        "transformations": flag("b.transformations"),
        "stripMetadata": flag("b.strip_metadata"),
    },
    search=("b.id", "b.name"),
)

FILES = Listing(
    columns="f.*",
    source="freehold.files f",
    id="f.id",
    created_at="f.created_at",
    attributes={
        "$id": text("f.id"),
        "$createdAt": moment("f.created_at"),
        "$updatedAt": moment("f.updated_at"),
        "name": text("f.name"),
        "folder": text("f.folder"),
        "key": text("f.folder || f.name"),
        "signature": text("f.md5"),
        "mimeType": text("f.mime_type"),
        "sizeOriginal": number("f.size"),
        "sizeActual": number("coalesce(f.stored_size, f.size)"),
        "compression": text("f.compression"),
        "encryption": flag("(f.key_id <> '')"),
        "chunksTotal": number("f.part_count"),
        "chunksUploaded": number("f.part_count"),
    },
    search=("f.id", "f.name"),
)


# -- buckets -----------------------------------------------------------------------------------------------


async def fetch_buckets(
    db: Queries, project_id: str, queries: Sequence[str], *, search: str, total: bool
) -> Found:
    """List buckets."""
    where = {"b.project_id = {}": project_id}
    return await listing.fetch(db, BUCKETS, queries, where=where, search=search, total=total)


async def find_bucket(db: Queries, project_id: str, bucket_id: str) -> Record | None:
    """Find a bucket, without its total size."""
    return await db.row(
        "select b.* from freehold.buckets b where b.project_id = $1 and b.id = $2", project_id, bucket_id
    )


async def read_bucket(db: Queries, project_id: str, bucket_id: str) -> Record | None:
    """Find a bucket, with its total size."""
    return await db.row(
        f"select {_BUCKET} from freehold.buckets b where b.project_id = $1 and b.id = $2",
        project_id, bucket_id,
    )  # fmt: skip


async def create_bucket(
    db: Queries, project_id: str, bucket_id: str, folder: str, values: dict[str, Any]
) -> Record:
    """Make a bucket. Raises BucketAlreadyExists."""
    try:
        row = await db.row(
            """
            insert into freehold.buckets (project_id, id, folder, name, description, enabled, file_security,
                                          permissions, maximum_file_size, allowed_extensions, transformations,
                                          compression, encryption, antivirus, strip_metadata)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            returning *, 0::bigint as total_size
            """,
            project_id, bucket_id, folder, values["name"], values["description"] or "", values["enabled"],
            values["file_security"], values["permissions"] or [], values["maximum_file_size"],
            values["allowed_extensions"], values["transformations"], values["compression"],
            values["encryption"], values["antivirus"], values["strip_metadata"],
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise BucketAlreadyExists(id=bucket_id) from error
    assert row is not None
    return row


async def update_bucket(
    db: Queries, project_id: str, bucket_id: str, values: dict[str, Any]
) -> Record | None:
    """Change a bucket; permissions and description only when they are given."""
    return await db.row(
        f"""
        update freehold.buckets b
        set name = $3, description = coalesce($4, description), enabled = $5, file_security = $6,
            permissions = coalesce($7, permissions), maximum_file_size = $8, allowed_extensions = $9,
            transformations = $10, compression = $11, encryption = $12, antivirus = $13, strip_metadata = $14,
            updated_at = now()
        where project_id = $1 and id = $2
        returning {_BUCKET}
        """,
        project_id, bucket_id, values["name"], values["description"], values["enabled"],
        values["file_security"], values["permissions"], values["maximum_file_size"],
        values["allowed_extensions"], values["transformations"], values["compression"], values["encryption"],
        values["antivirus"], values["strip_metadata"],
    )  # fmt: skip


async def count_all(db: Queries, project_id: str) -> Record:
    """How many `buckets` and whole `files` a project has, and their `bytes`."""
    row = await db.row(
        """
        select (select count(*) from freehold.buckets where project_id = $1) as buckets,
               count(*) as files, coalesce(sum(size), 0)::bigint as bytes
        from freehold.files where project_id = $1 and whole
        """,
        project_id,
    )
    assert row is not None
    return row


async def find_exports(db: Queries, project_id: str) -> Record | None:
    """Find the bucket that exports go to."""
    return await db.row(
        "select * from freehold.buckets where project_id = $1 and purpose = 'exports'", project_id
    )


async def create_exports(
    db: Queries, project_id: str, bucket_id: str, folder: str, most: int
) -> Record | None:
    """Make the bucket that exports go to, which nobody but keys and the console reaches.

    None when there is one, or another bucket has the id.
    """
    return await db.row(
        """
        insert into freehold.buckets (project_id, id, folder, name, description, maximum_file_size, purpose,
                                      encryption)
        values ($1, $2, $3, 'Exports', 'Where exports of tables are put.', $4, 'exports', true)
        on conflict do nothing
        returning *
        """,
        project_id, bucket_id, folder, most,
    )  # fmt: skip


async def delete_bucket(db: Queries, project_id: str, bucket_id: str) -> Record | None:
    """Forget a bucket and its files. Gives what it was."""
    return await db.row(
        f"delete from freehold.buckets b where project_id = $1 and id = $2 returning {_BUCKET}",
        project_id, bucket_id,
    )  # fmt: skip


# -- files -------------------------------------------------------------------------------------------------


async def fetch_files(
    db: Queries,
    project_id: str,
    bucket_id: str,
    queries: Sequence[str],
    *,
    asks: list[str] | None,
    search: str,
    total: bool,
) -> Found:
    """List the whole files of a bucket; with `asks` those that have one of these permissions."""
    where: dict[str, Any] = {
        "f.project_id = {}": project_id,
        "f.bucket_id = {}": bucket_id,
        "f.whole = {}": True,
    }
    if asks is not None:
        where["f.permissions && {}"] = asks
    return await listing.fetch(db, FILES, queries, where=where, search=search, total=total)


async def find_file(db: Queries, project_id: str, bucket_id: str, file_id: str) -> Record | None:
    """Find a file that is whole."""
    return await db.row(
        "select * from freehold.files where project_id = $1 and bucket_id = $2 and id = $3 and whole",
        project_id, bucket_id, file_id,
    )  # fmt: skip


async def begin_file(
    db: Queries,
    project_id: str,
    bucket_id: str,
    file_id: str,
    *,
    name: str,
    folder: str,
    permissions: list[str],
    size: int,
    part_count: int,
    uploader: str,
    place: str,
) -> bool:
    """Write down a file of which nothing has come yet. False when there is one with this id."""
    made = await db.row(
        """
        insert into freehold.files (project_id, bucket_id, id, name, folder, permissions, size, sent_size,
                                    part_count, uploader, place, part_checksums)
        values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, array_fill(null::bigint, array[$8::int]))
        on conflict (project_id, bucket_id, id) do nothing
        returning 1
        """,
        project_id, bucket_id, file_id, name, folder, permissions, size, part_count, uploader, place,
    )  # fmt: skip
    return made is not None


async def hold_part(db: Queries, project_id: str, bucket_id: str, file_id: str, number: int) -> Record | None:
    """Find a file, whole or not, and let nobody else put this part to it or finish it meanwhile."""
    # Locks of their own: rows that are locked would make parts wait for each other, and for the disk.
    await db.row(
        """
        select pg_advisory_xact_lock_shared(hashtextextended(place, 0)),
               pg_advisory_xact_lock(hashtext(place), $4)
        from freehold.files where project_id = $1 and bucket_id = $2 and id = $3
        """,
        project_id, bucket_id, file_id, number,
    )  # fmt: skip
    return await db.row(
        "select * from freehold.files where project_id = $1 and bucket_id = $2 and id = $3",
        project_id, bucket_id, file_id,
    )  # fmt: skip


async def hold_file(db: Queries, place: str) -> Record | None:
    """Find a file, whole or not, and let nobody else put a part to it or finish it meanwhile."""
    await db.row("select pg_advisory_xact_lock(hashtextextended($1, 0))", place)
    return await db.row("select * from freehold.files where place = $1 for update", place)


async def add_part(db: Queries, place: str, number: int, checksum: int) -> Record | None:
    """Note that a part has come. None when the file is gone meanwhile.

    One that came before, and was another then, is of other contents, which were begun with their first part:
    what came before that is forgotten.
    """
    return await db.row(
        """
        update freehold.files
        set parts = $2::int || case
                when not $2 = any(parts) or part_checksums[$2] is null or part_checksums[$2] = $3
                then array_remove(parts, $2)
                when $2 = 1 or not 1 = any(parts) then '{}'
                else array_remove(parts[:array_position(parts, 1)], $2)
            end,
            part_checksums[$2] = $3, updated_at = now()
        where place = $1
        returning *
        """,
        place, number, checksum,
    )  # fmt: skip


async def finish_file(db: Queries, place: str, stored: Stored) -> Record:
    """Note that a file is whole, and how its contents lie in the store."""
    row = await db.row(
        """
        update freehold.files
        set whole = true, size = $2, md5 = $3, mime_type = $4, stored_size = $5, compression = $6,
            frames = $7, key_id = $8, sealed_key = $9, part_checksums = '{}', updated_at = now()
        where place = $1
        returning *
        """,
        place, stored.size, stored.md5, stored.mime_type, stored.stored_size, stored.compression,
        list(stored.frames), stored.key.key_id, stored.key.sealed,
    )  # fmt: skip
    assert row is not None
    return row


async def update_file(
    db: Queries,
    project_id: str,
    bucket_id: str,
    file_id: str,
    *,
    name: str | None,
    permissions: list[str] | None,
) -> Record | None:
    """Rename a file, give it other permissions, or both."""
    return await db.row(
        """
        update freehold.files
        set name = coalesce($4, name), permissions = coalesce($5, permissions), updated_at = now()
        where project_id = $1 and bucket_id = $2 and id = $3 and whole
        returning *
        """,
        project_id, bucket_id, file_id, name, permissions,
    )  # fmt: skip


async def delete_file(db: Queries, place: str) -> Record | None:
    """Forget a file. Gives what it was."""
    return await db.row("delete from freehold.files where place = $1 returning *", place)


async def delete_unfinished(db: Queries, place: str) -> bool:
    """Forget a file that never became whole. False when it has."""
    return (
        await db.row("delete from freehold.files where place = $1 and not whole returning 1", place)
    ) is not None


async def is_kept(db: Queries, place: str) -> bool:
    """Whether there is a file of these contents."""
    return await db.row("select 1 from freehold.files where place = $1", place) is not None


async def without_file(db: Queries, places: Sequence[str]) -> list[str]:
    """Those of the places that no file has its contents at."""
    found = await db.rows(
        """
        select p.place from unnest($1::text[]) as p (place)
        where not exists (select from freehold.files f where f.place = p.place)
        """,
        list(places),
    )
    return [each["place"] for each in found]


async def of_places(db: Queries, places: Sequence[str]) -> list[Record]:
    """The `place` and the `stored_size` of the whole files that have their contents at one of the places."""
    return await db.rows(
        """
        select place, coalesce(stored_size, size) as stored_size from freehold.files
        where place = any($1::text[]) and whole
        """,
        list(places),
    )


# -- keys --------------------------------------------------------------------------------------------------


async def count_keys(db: Queries) -> list[Record]:
    """How many `files` each `key_id` has sealed the keys of."""
    return await db.rows(
        """
        select key_id, count(*) as files from freehold.files where key_id <> ''
        group by key_id order by key_id
        """
    )


async def fetch_sealed(db: Queries, key_id: str, after: str, most: int) -> list[Record]:
    """Files whose keys this one sealed, by `place`, from one place on; nobody else changes them meanwhile."""
    return await db.rows(
        """
        select place, key_id, sealed_key from freehold.files
        where key_id = $1 and place > $2
        order by place limit $3 for update
        """,
        key_id, after, most,
    )  # fmt: skip


async def seal_anew(db: Queries, key_id: str, places: Sequence[str], sealed: Sequence[bytes]) -> None:
    """Keep the files' keys as they are sealed now."""
    await db.run(
        """
        update freehold.files f set key_id = $1, sealed_key = n.sealed
        from unnest($2::text[], $3::bytea[]) as n (place, sealed)
        where f.place = n.place
        """,
        key_id, list(places), list(sealed),
    )  # fmt: skip
