"""The buckets that a schema names, compared with those of a live project: what has to be called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from freehold.schema.keys import SIZE_UNITS

FIELDS = {
    "name": "name",
    "max_size": "maximumFileSize",
    "extensions": "allowedFileExtensions",
    "file_security": "fileSecurity",
    "compression": "compression",
    "encryption": "encryption",
    "antivirus": "antivirus",
    "enabled": "enabled",
    "transformations": "transformations",
    "permissions": "permissions",
}
"""A key of the language, and what the API calls it."""

TOLD = {"permissions": "$permissions"}
"""What a bucket calls otherwise than who makes it."""

KEPT = (*FIELDS.values(), "description", "stripMetadata")
"""What has to be said again when a bucket changes, since what is not said is as in a new one."""


class BucketStep(NamedTuple):
    """One call, and what it does."""

    summary: str
    method: str
    path: str
    body: dict[str, Any]


def path(bucket_id: str) -> str:
    return f"/storage/buckets/{bucket_id}"


def steps(named: Mapping[str, Mapping[str, Any]], there: Mapping[str, Mapping[str, Any]]) -> list[BucketStep]:
    """What makes the buckets as they are named. What the schema does not say of one stays as it is."""
    found = []
    for bucket_id, settings in named.items():
        said = {FIELDS[key]: _as_wire(key, value) for key, value in settings.items()}
        if bucket_id not in there:
            body = {"bucketId": bucket_id, "name": bucket_id} | said
            found.append(BucketStep(f"Make the bucket {bucket_id}", "POST", "/storage/buckets", body))
            continue
        kept = {field: there[bucket_id][TOLD.get(field, field)] for field in KEPT}
        changed = sorted(field for field, value in said.items() if _alike(value) != _alike(kept[field]))
        if changed:
            summary = f"Change the bucket {bucket_id}: {', '.join(changed)}"
            found.append(BucketStep(summary, "PUT", path(bucket_id), kept | said))
    return found


def _as_wire(key: str, value: Any) -> Any:
    if key == "max_size":
        return _bytes(value)
    if key == "extensions":
        return [each.removeprefix(".").lower() for each in value]
    return value


def _bytes(size: int | str) -> int:
    """`5MB` or a number of bytes, which the reader has checked."""
    digits = str(size).rstrip("BKMG")
    return int(digits) * SIZE_UNITS[str(size).removeprefix(digits) or "B"]


def _alike(value: Any) -> Any:
    """Lists say the same in any order; `write` is what it stands for."""
    if not isinstance(value, list):
        return value
    each_action = [re.sub(r"^write\(", f"{action}(", each) for each in value for action in _actions(each)]
    return frozenset(re.sub(r"\s", "", each) for each in each_action)


def _actions(permission: str) -> tuple[str, ...]:
    return ("create", "update", "delete") if permission.startswith("write(") else ("",)
