"""Shapes of imports and exports on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from freehold.errors import InvalidParameter
from freehold.web.wire import Id, Input, Output, Query, Resource

OnDuplicate = Literal["fail", "skip", "overwrite"]
Both = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]{1,36}:[a-zA-Z0-9._-]{1,36}$(?!\n)")]
Mark = Annotated[str, Meta(max_length=1)]


class Counters(Output):
    """How many of something have come how far."""

    success: int
    error: int
    skip: int
    pending: int
    """Fine, but left out with their batch."""
    processing: int = 0
    warning: int = 0


class Migration(Resource, kw_only=True):
    status: str
    stage: str
    source: str
    destination: str
    resources: list[str]
    resource_id: str
    resource_internal_id: str = ""
    resource_type: str = "table"
    parent_resource_id: str
    parent_resource_internal_id: str = ""
    parent_resource_type: str = "database"
    destination_resource_id: str = ""
    destination_resource_internal_id: str = ""
    destination_resource_type: str = ""
    status_counters: dict[str, Counters]
    resource_data: list[dict[str, Any]] = []
    errors: list[str]
    options: dict[str, Any]


class MigrationList(Output):
    total: int
    migrations: list[Migration]


class OfTable(Input, kw_only=True):
    """The table that is meant: named by two ids, or as older consoles do by `database:table`."""

    database_id: Id | None = None
    collection_id: Id | None = None
    resource_id: Both | None = None

    def table(self) -> tuple[str, str]:
        """The ids of the database and of the table. Raises InvalidParameter."""
        if self.resource_id is not None:
            database_id, _, table_id = self.resource_id.partition(":")
            return database_id, table_id
        if self.database_id is None:
            raise InvalidParameter(name="databaseId", reason="It is required.")
        if self.collection_id is None:
            raise InvalidParameter(name="collectionId", reason="It is required.")
        return self.database_id, self.collection_id


class CreateImport(OfTable, kw_only=True):
    bucket_id: Id
    file_id: Id
    internal_file: bool = False
    on_duplicate: OnDuplicate = "fail"


class CreateExport(OfTable, kw_only=True):
    filename: Annotated[str, Meta(min_length=1, max_length=255)]
    columns: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=1000)] = []
    queries: Annotated[list[Query], Meta(max_length=100)] = []
    notify: bool = True
    """No e-mail is sent yet, whatever this says."""


class CreateCsvExport(CreateExport, kw_only=True):
    delimiter: Mark = ","
    enclosure: Mark = '"'
    escape: Mark = '"'
    header: bool = True
