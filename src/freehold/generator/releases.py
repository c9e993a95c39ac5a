"""What changed in emitted services, by the version of the generator: what `freehold upgrade` tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Release(NamedTuple):
    """One version, and what an owner of a service notices of it."""

    version: str
    notes: tuple[str, ...]


RELEASES = (
    Release(
        "0.1.0",
        (
            "The first version: services in Python, TypeScript and Go that answer one contract.",
            "`freehold upgrade` brings what a later version of the generator emits; your edits are merged.",
        ),
    ),
    Release(
        "0.2.0",
        (
            "Batches, filters and included rows are shared code now, which is less of it. Only code of your"
            " own that calls what was shared before has to change; the compilers and mypy name each place.",
            "Go: `call.WriteOnce(db, nil, work)` in place of `api.Once`, and it begins the transaction;"
            " `api.WriteEach` and `api.DeleteEach` of `api.EachOf` and `api.CheckItems`; `api.FilterBy` and"
            " `api.FilterText` of `api.Compare`, `api.In`, `api.Like` and `api.IsNull`; `api.ReadRow` of"
            " `api.IncludeIn`; `api.Plain(endpoint)` of `call.NoParameters()`.",
            "Python: `write_each` and `delete_each` of `app.core.batch` in place of `each`,"
            " `check_items_writable` and `reply_rows`; bodies of batches are `Items[ProjectChange]` and"
            " `Ids[Uuid]` of `app.core.fields`, where `ProjectBatchUpdate` and `ProjectBatchDelete` were;"
            " `no_parameters` and `only_include` are awaited, and `check_parameters` is gone.",
            "TypeScript: `sortBy(SORT_KEYS)` takes the keys as one object, and `RELATIONS` is made by"
            " `relations({...})`.",
            "`make sbom` lists what a service is made of, and its workflow what the image is. Images are"
            " named by digest, which `renovate.json` keeps current.",
            "`make client` makes typed clients of the contract, which was mended for them: PATCH is described"
            " as `application/json` alone, and choices that several operations take have a name.",
            "`openapi.extra.yaml` is yours: what it says of your own routes goes into `openapi.json`.",
            "What goes wrong unexpectedly is logged with the id of its request. Go: `db.Problem` takes the"
            " context of the request first. TypeScript: `authenticator` and `Verifier` take a log.",
            "On ECS a new image migrates first (MigrateImage, `migrate_image`) and serves then.",
        ),
    ),
)
"""Oldest first. A version that changes what is emitted has its line here."""


def since(version: str, releases: Sequence[Release] = RELEASES) -> list[Release]:
    """The releases that came after a version, oldest first."""
    return [each for each in releases if is_newer(each.version, version)]


def is_newer(version: str, other: str) -> bool:
    return _numbers(version) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])
