"""`freehold import`: a schema that is said elsewhere becomes a `freehold.yaml`, with a report."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import NamedTuple

from freehold.config import Refusal
from freehold.importing import appwrite, dump, introspection, postgres, prisma
from freehold.schema import SchemaError, apsorc, parse_schema
from freehold.schema.document import MAX_BYTES
from freehold.schema.sketch import HEADINGS, Imported, told

HEAD = (
    "# Imported from {source}. `freehold json-schema > freehold.schema.json` gives editors what they need.\n"
)


SOURCES = (
    "the URL of a PostgreSQL, a dump (.sql), appwrite.config.json or a project's endpoint, a Prisma schema,"
    " an .apsorc"
)


class CannotImport(Refusal):
    """There is nothing here that can be read, or nowhere to write to."""


class Request(NamedTuple):
    """What was asked for on the command line."""

    source: str
    out: Path
    namespace: str = "public"
    service: str | None = None
    force: bool = False
    project: str | None = None
    """Of an API: the project, and the key that opens it."""
    key: str | None = None
    database: str | None = None
    """Of a project: the one database that is meant."""


def run(request: Request, *, as_json: bool) -> str:
    """Write the schema, and answer with the report to print."""
    if request.out.exists() and not request.force:
        raise CannotImport(
            f"{request.out} is there already and is kept. Name another file with --out, or say --force."
        )
    try:
        imported = read(request)
    except SchemaError as error:
        raise CannotImport(str(error)) from error
    text = HEAD.format(source=shown(request.source)) + imported.text
    try:
        request.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotImport(f"{request.out} cannot be written: {error.strerror}.") from error
    return _json(request, imported) if as_json else _text(request, imported)


def read(request: Request) -> Imported:
    """The schema of a source, by what it looks like."""
    source = request.source
    if re.match(r"postgres(?:ql)?://", source):
        return _database(request)
    if re.match(r"https?://", source):
        return _project(request)
    path = Path(source)
    if path.is_dir():
        path = _inside(path)
    if not path.is_file():
        raise CannotImport(f"{shown(source)} is not there. What can be imported: {SOURCES}.")
    service = request.service or path.resolve().parent.name
    if path.name.endswith(apsorc.SUFFIX):
        return apsorc.convert(contents(path), file=path.name, service=service)
    if path.suffix == ".sql":
        return dump.imported(path, service=request.service or path.stem, namespace=request.namespace)
    if path.name in appwrite.FILES or path.suffix == ".json":
        config = appwrite.parse(contents(path), file=path.name)
        return appwrite.sketch_of(config, service=request.service, database=request.database).finished()
    if path.suffix == prisma.SUFFIX:
        return prisma.imported(path, service=service)
    raise CannotImport(f"{path} is nothing that can be imported. What can be: {SOURCES}.")


def _inside(folder: Path) -> Path:
    names = (*appwrite.FILES, "schema.prisma", "prisma/schema.prisma", apsorc.SUFFIX)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CannotImport(f"{folder} has none of {', '.join(names)}.")


def _project(request: Request) -> Imported:
    if not request.source.rstrip("/").endswith("/v1"):
        raise CannotImport(f"{shown(request.source)} has to end in /v1, as in https://cloud.example.com/v1.")
    if not request.project or not request.key:
        raise CannotImport(
            "A project is asked with --project and --key, a key that may read databases and tables."
        )
    config = asyncio.run(appwrite.ask(request.source.rstrip("/"), request.project, request.key))
    return appwrite.sketch_of(config, service=request.service, database=request.database).finished()


def _database(request: Request) -> Imported:
    database = asyncio.run(introspection.read(request.source, request.namespace))
    if not database.tables:
        raise CannotImport(
            f"{shown(request.source)} has no tables in {request.namespace}. Name another with --namespace."
        )
    return postgres.sketch_of(database, service=request.service or database.name).finished()


def contents(path: Path) -> bytes:
    """A file, if it is no larger than a schema may be."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CannotImport(f"{path} cannot be read: {error.strerror}.") from error
    if len(text) > MAX_BYTES:
        raise CannotImport(f"{path} is larger than {MAX_BYTES // 1024} KiB, which is no schema.")
    return text


def shown(source: str) -> str:
    """A source as it may be shown: without its password."""
    return re.sub(r"^(\w+://)[^@/]*@", r"\1", source).partition("?")[0]


def _json(request: Request, imported: Imported) -> str:
    schema = parse_schema(imported.text)
    notes = [{"kind": note.kind, "where": note.where, "what": note.what} for note in imported.notes]
    return json.dumps({"schema": str(request.out), "entities": len(schema.entities), "notes": notes})


def _text(request: Request, imported: Imported) -> str:
    schema = parse_schema(imported.text)
    fields = sum(len(entity.fields) for entity in schema.entities)
    counts = [
        f"{sum(note.kind == kind for note in imported.notes)} {heading.lower().rstrip(':')}"
        for kind, heading in HEADINGS.items()
    ]
    return "\n".join(
        [
            f"{request.out}: {len(schema.entities)} entities, {fields} fields; {', '.join(counts)}.",
            *told(imported.notes),
        ]
    )
