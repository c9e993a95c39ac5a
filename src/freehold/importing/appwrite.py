"""An Appwrite project as a schema: from its config file, or over its API, which a Freehold answers too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import aiohttp
import msgspec

from freehold.config import Refusal
from freehold.schema import names
from freehold.schema.keys import PLATFORM
from freehold.schema.model import Field
from freehold.schema.sketch import Sketch, field_name, member_list
from freehold.schema.types import MAX_LENGTH, TypeSyntaxError, parse_type
from freehold.schema.values import BIGINT_RANGE, INT_RANGE, Misfit, fit

FILES = ("appwrite.config.json", "appwrite.json")
TIMEOUT_S = 60
PAGE = 100
MAX_PAGES = 20


class ProjectUnreadable(Refusal):
    """The project cannot be asked, or its config is none."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Appwrite writes; what is not named here is not needed."""


class Column(Wire, frozen=True, kw_only=True):
    key: str
    type: str
    format: str = ""
    required: bool = False
    array: bool = False
    size: int | None = None
    default: Any = None
    elements: list[str] = []
    min: float | int | None = None
    max: float | int | None = None
    encrypt: bool = False
    related_table: str = ""
    related_collection: str = ""
    relation_type: str = ""
    two_way: bool = False
    two_way_key: str = ""
    on_delete: str = ""
    side: str = "parent"


class Index(Wire, frozen=True, kw_only=True):
    key: str = ""
    type: str = "key"
    columns: list[str] = []
    attributes: list[str] = []
    orders: list[str | None] | None = None


class Table(Wire, frozen=True, kw_only=True):
    id: str = msgspec.field(name="$id")
    name: str = ""
    database_id: str = ""
    permissions: list[str] = msgspec.field(name="$permissions", default_factory=list)
    row_security: bool = False
    document_security: bool = False
    columns: list[Column] = []
    attributes: list[Column] = []
    indexes: list[Index] = []


class Config(Wire, frozen=True, kw_only=True):
    """A project, as `appwrite.config.json` and the older `appwrite.json` have it."""

    project_id: str = ""
    project_name: str = ""
    tables: list[Table] = []
    collections: list[Table] = []
    buckets: list[dict[str, Any]] = []
    functions: list[dict[str, Any]] = []
    sites: list[dict[str, Any]] = []
    topics: list[dict[str, Any]] = []
    teams: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []


TYPES = {
    "string": "string", "varchar": "string", "text": "string(16383)", "mediumtext": "text",
    "longtext": "text", "integer": "int", "bigint": "bigint", "double": "float", "float": "float",
    "boolean": "bool", "datetime": "datetime", "email": "email", "url": "url", "ip": "ip",
    "point": "point", "linestring": "line", "polygon": "polygon",
}  # fmt: skip
SYSTEM = {"$id": "id", "$createdAt": "created_at", "$updatedAt": "updated_at"}
ON_DELETE = {"cascade": "cascade", "setNull": "set_null", "restrict": "restrict"}
BESIDE = {
    "buckets": "/storage/buckets",
    "functions": "/functions",
    "sites": "/sites",
    "topics": "/messaging/topics",
}
SETTINGS = {
    "maximumFileSize": "max_size",
    "allowedFileExtensions": "extensions",
    "fileSecurity": "file_security",
    "$permissions": "permissions",
    "buildCommand": "build_command",
    "installCommand": "install_command",
    "outputDirectory": "output_directory",
    "fallbackFile": "fallback_file",
    "buildRuntime": "runtime",
}
"""What settings are called here, where not as there."""


def parse(text: bytes, *, file: str) -> Config:
    """The config of a file. Raises ProjectUnreadable."""
    try:
        return msgspec.json.decode(text, type=Config)
    except msgspec.DecodeError as error:
        raise ProjectUnreadable(f"{file} is no config of a project: {error}.") from error


def sketch_of(config: Config, *, service: str | None = None, database: str | None = None) -> Sketch:
    """The schema of a project, or of one of its databases."""
    return _Reader(config, service, database).sketch_all()


class _Reader:
    def __init__(self, config: Config, service: str | None, database: str | None) -> None:
        self.config = config
        every = [*config.tables, *config.collections]
        self.tables = [table for table in every if database is None or table.database_id == database]
        if not self.tables:
            there = ", ".join(sorted({table.database_id for table in every})) or "none"
            within = f" in the database {database}; there are: {there}" if database else ""
            raise ProjectUnreadable(f"The project has no tables{within}.")
        self.sketch = Sketch(service or config.project_name or config.project_id or "service")
        self.entities: dict[tuple[str, str], str] = {}
        self.fields: dict[tuple[str, str], str] = {}
        self.roles: dict[str, list[str]] = {}

    def sketch_all(self) -> Sketch:
        databases = {table.database_id for table in self.tables}
        if len(databases) > 1:
            self.sketch.changed("", f"{len(databases)} databases are one schema here; --database names one")
        for table in self.tables:
            self._entity(table)
        for table in self.tables:
            for column in [*table.columns, *table.attributes]:
                self._column(table, column)
        for table in self.tables:
            for index in table.indexes:
                self._index(table, index)
        if self.roles:
            self.sketch.head["roles"] = self.roles
        self._platform()
        self.sketch.decide_tenancy()
        for name, things in (("teams", self.config.teams), ("messages", self.config.messages)):
            if things:
                self.sketch.left_out(name, f"{len(things)} of them: they are data, not schema")
        return self.sketch

    def _entity(self, table: Table) -> None:
        is_random = re.fullmatch(r"[0-9a-f]{20,}", table.id) is not None
        source = table.name if is_random and table.name else table.id
        name = self.sketch.add_entity(source, table=table.id)
        self.entities[(table.database_id, table.id)] = name
        body = self.sketch.entities[name]
        if table.name and names.snake_case(table.name) != name:
            body["description"] = table.name
        body |= {"id": "text", "timestamps": True, "version": False}
        self._access(table, name, body)

    # Access

    def _access(self, table: Table, name: str, body: dict[str, Any]) -> None:
        allowed: dict[str, list[str]] = {"read": [], "create": [], "update": [], "delete": []}
        for written in table.permissions:
            found = re.fullmatch(r'(read|create|update|delete|write)\("([^"]+)"\)', written)
            if found is None:
                self.sketch.left_out(name, f"the permission {written}")
                continue
            role = self._role(name, found.group(2), written)
            actions = ("create", "update", "delete") if found.group(1) == "write" else (found.group(1),)
            for action in actions:
                if role is not None and role not in allowed[action]:
                    allowed[action].append(role)
        for action, roles in allowed.items():
            body["access"][action] = roles[0] if len(roles) == 1 else roles or "service"
        if table.row_security or table.document_security:
            self.sketch.decide(
                name,
                "its rows have permissions of their own, which are data: say in access lines whose they are,"
                " such as `{ role: authenticated, where: owner = me }`",
            )
        if not table.permissions:
            self.sketch.decide(
                name, "has no permissions, so that it is for `service` alone: say its `access:`"
            )

    def _role(self, name: str, role: str, written: str) -> str | None:
        kind, _, rest = role.partition(":")
        if role in ("any", "guests"):
            if role == "guests":
                self.sketch.changed(name, f"{written} is for everybody here: `public`")
            return "public"
        if kind in ("users", "users/verified", "users/unverified"):
            if kind != "users":
                self.sketch.decide(name, f"{written} is for all who are signed in here, proven or not")
            return "authenticated"
        words = re.sub(r"[^a-z0-9_-]+", "-", rest.lower()).strip("-_")[:58]
        if kind in ("team", "label") and words and words[0].isalpha():
            if words not in self.roles:
                self.roles[words] = []
                self.sketch.decide("roles", f"{kind}:{rest} is the role `{words}`: does it inherit others?")
            return words
        self.sketch.left_out(name, f"the permission {written}: it is for one user or member, which is data")
        return None

    # Columns

    def _column(self, table: Table, column: Column) -> None:
        entity = self.entities[(table.database_id, table.id)]
        if column.type == "relationship":
            self._relation(table, entity, column)
            return
        where = f"{entity}.{field_name(column.key, self.sketch.entities[entity]['fields'])}"
        type_ = self._type(where, column)
        settings: dict[str, Any] = {"type": type_, "nullable": not column.required}
        if type_.startswith(("int", "bigint", "float")):
            limits = INT_RANGE if type_.startswith("int") else BIGINT_RANGE
            for key, bound in (("min", column.min), ("max", column.max)):
                if bound is not None and limits[0] < bound < limits[1]:
                    settings[key] = float(bound) if type_.startswith("float") else int(bound)
        if column.encrypt:
            self.sketch.left_out(where, "that it is encrypted: an owned service keeps it as it is")
        name = self.sketch.add_field(entity, column.key, settings, column=column.key)
        self.fields[(entity, column.key)] = name
        if column.default is not None:
            self._default(entity, name, type_, column.default)

    def _type(self, where: str, column: Column) -> str:
        array = "[]" if column.array else ""
        kind = column.format if column.format in ("email", "url", "ip", "enum") else column.type
        if kind == "enum":
            return self._enum(where, column.elements, array)
        found = TYPES.get(kind)
        if found is None:
            self.sketch.changed(where, f"there is no type `{kind}`: it is kept as a text")
            return f"text{array}"
        if found == "string":
            return f"string({min(column.size, MAX_LENGTH)}){array}" if column.size else f"text{array}"
        if found == "int":
            bounds = (column.min, column.max)
            fits = all(bound is not None and INT_RANGE[0] <= bound <= INT_RANGE[1] for bound in bounds)
            found = "int" if fits else "bigint"
        if array and found in ("point", "line", "polygon"):
            self.sketch.changed(where, f"there are no lists of `{found}`: it is kept as `json`")
            return "json"
        return found + array

    def _enum(self, where: str, elements: list[str], array: str) -> str:
        type_ = member_list(elements)
        try:
            parse_type(type_)
        except TypeSyntaxError as error:
            longest = max(map(len, elements), default=255) or 255
            self.sketch.decide(
                where, f"{error.message}; until one is changed it is a text of {longest} characters"
            )
            return f"string({longest}){array}"
        return type_ + array

    def _default(self, entity: str, name: str, type_: str, value: Any) -> None:
        field = Field(id="", name=name, type=parse_type(type_), column=name)
        try:
            kept = fit(field, float(value) if type_ == "float" and isinstance(value, int) else value)
        except Misfit as error:
            self.sketch.decide(f"{entity}.{name}", f"the default {error.message}, so there is none here")
        else:
            self.sketch.entities[entity]["fields"][name]["default"] = kept

    def _relation(self, table: Table, entity: str, column: Column) -> None:
        if column.side == "child":
            return
        target = self.entities.get((table.database_id, column.related_table or column.related_collection))
        if target is None:
            self.sketch.left_out(f"{entity}.{column.key}", "the relation: its other table is not there")
            return
        on_delete = ON_DELETE.get(column.on_delete, "set_null")
        inverse = names.snake_case(column.two_way_key) if column.two_way and column.two_way_key else None
        if column.relation_type == "manyToMany":
            settings: dict[str, Any] = {"type": f"many({target})", "inverse": inverse}
            if on_delete == "restrict":
                settings["on_delete"] = on_delete
            self.fields[(entity, column.key)] = self.sketch.add_field(entity, column.key, settings)
            return
        holder, source, pointed = entity, column.key, target
        if column.relation_type == "oneToMany":  # the key is with the many
            holder, source, pointed = target, inverse or entity, entity
            inverse = names.snake_case(column.key)
        settings = {
            "type": f"ref({pointed})",
            "nullable": True,
            "on_delete": None if on_delete == "restrict" else on_delete,
            "unique": column.relation_type == "oneToOne",
            "inverse": inverse,
        }
        self.fields[(holder, source)] = self.sketch.add_field(holder, source, settings)

    # Indexes

    def _index(self, table: Table, index: Index) -> None:
        entity = self.entities[(table.database_id, table.id)]
        body = self.sketch.entities[entity]
        sources = index.columns or index.attributes
        found = [SYSTEM.get(source) or self.fields.get((entity, source)) for source in sources]
        if not found or None in found:
            self.sketch.left_out(entity, f"the index `{index.key}`, over {', '.join(sources)}")
            return
        fields = [str(each) for each in found]
        orders = [str(each or "ASC").upper() for each in index.orders or []]
        if index.type == "fulltext":
            for each in fields:
                if each in body["fields"]:
                    body["fields"][each]["search"] = True
        elif index.type == "unique" and len(fields) == 1 and fields[0] in body["fields"]:
            body["fields"][fields[0]]["unique"] = True
        elif index.type == "unique":
            body.setdefault("unique", []).append(fields)
        elif len(fields) == 1 and fields[0] in body["fields"]:
            if not str(body["fields"][fields[0]]["type"]).startswith("ref("):
                body["fields"][fields[0]]["index"] = True
        else:
            down = [at < len(orders) and orders[at] == "DESC" for at in range(len(fields))]
            body.setdefault("index", []).append(
                [f"-{each}" if falls else each for each, falls in zip(fields, down, strict=True)]
            )

    # Beside tables

    def _platform(self) -> None:
        groups = {
            "buckets": self.config.buckets,
            "functions": self.config.functions,
            "sites": self.config.sites,
            "topics": self.config.topics,
        }
        platform: dict[str, Any] = {}
        for group, things in groups.items():
            for thing in things:
                id_ = str(thing.get("$id", ""))
                if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,35}", id_):
                    self.sketch.left_out(group, f"`{id_}`: it cannot be an id")
                    continue
                platform.setdefault(group, {})[id_] = dict(_settings(group, thing))
        if platform:
            self.sketch.tail["platform"] = platform


def _settings(group: str, thing: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """What of a bucket, a function, a site or a topic the language has a key for."""
    for source, value in thing.items():
        key = PLATFORM[group].get(SETTINGS.get(source, source))
        if key is None or value in (None, "", [], {}):
            continue
        if key.words and value not in key.words:
            continue
        is_texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if isinstance(value, (str, bool)) or is_texts or is_count:
            yield SETTINGS.get(source, source), value


# Over the API


async def ask(endpoint: str, project: str, key: str) -> Config:
    """The project, as its API tells it. Raises ProjectUnreadable."""
    headers = {"X-Appwrite-Project": project, "X-Appwrite-Key": key, "X-Appwrite-Response-Format": "1.8.0"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        tables: list[dict[str, Any]] = []
        modern = True
        databases = await _pages(session, endpoint, "/tablesdb", "databases")
        if databases is None:
            modern = False
            databases = await _pages(session, endpoint, "/databases", "databases") or []
        for database in databases:
            path = f"/{'tablesdb' if modern else 'databases'}/{database['$id']}"
            kind = "tables" if modern else "collections"
            tables += await _pages(session, endpoint, f"{path}/{kind}", kind) or []
        beside = {name: await _pages(session, endpoint, path, name) or [] for name, path in BESIDE.items()}
    text = json.dumps({"projectId": project, "tables": tables, **beside})
    return parse(text.encode(), file=f"What {endpoint} answered")


async def _pages(
    session: aiohttp.ClientSession, endpoint: str, path: str, name: str
) -> list[dict[str, Any]] | None:
    """All things of a list; None when the server has no such list, or the key may not see it."""
    found: list[dict[str, Any]] = []
    for _ in range(MAX_PAGES):
        queries = [{"method": "limit", "values": [PAGE]}]
        if found:
            queries.append({"method": "cursorAfter", "values": [found[-1]["$id"]]})
        parameters = [("queries[]", json.dumps(query)) for query in queries]
        try:
            async with session.get(endpoint + path, params=parameters, allow_redirects=False) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError, UnicodeDecodeError) as error:
            raise ProjectUnreadable(f"{endpoint} did not answer as an Appwrite does: {error}.") from error
        if response.status in (404, 405, 501) or (
            response.status in (401, 403) and not path.startswith(("/tablesdb", "/databases"))
        ):
            return None
        if response.status >= 300 or not isinstance(answer, dict) or not isinstance(answer.get(name), list):
            message = answer.get("message", "") if isinstance(answer, dict) else ""
            raise ProjectUnreadable(
                f"{endpoint}{path} answered {response.status}: {message} The key needs the scopes"
                " databases.read and tables.read."
            )
        page: list[dict[str, Any]] = answer[name]
        found += page
        if len(page) < PAGE:
            return found
    raise ProjectUnreadable(f"{endpoint}{path} has more than {PAGE * MAX_PAGES} {name}.")
