"""Callers with every kind of token, and rows as a test needs them: a service as it is seen from outside."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import asyncpg
import pytest
from jsonschema import Draft202012Validator

from .resources import BY_NAME, PERMISSIONS, ROLES, SCARCE_KEYS, USER, Grant, Relation, Resource
from .resources import TENANT as TENANT_RESOURCE
from .samples import new_id


class Response(Protocol):
    """An answer of the service."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any: ...
    @property
    def content(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


@dataclass(frozen=True)
class Service:
    """A service that runs, and its contract."""

    send: Callable[..., Response]
    """Method, path and options, as HTTP clients take them."""
    sign: Callable[[str, str, str], str]
    """A token for a role, a tenant and a user."""
    database_url: str
    """As an administrator, who is not held by row-level security."""
    openapi: dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Somebody with a token. Every answer is held against openapi.json."""

    service: Service
    role: str
    tenant: Any = None
    user: Any = None

    def request(self, method: str, path: str, **options: Any) -> Response:
        headers = options.pop("headers", {})
        if self.role != "public":
            token = self.service.sign(self.role, str(self.tenant or ""), str(self.user or ""))
            headers = {"Authorization": f"Bearer {token}", **headers}
        response = self.service.send(method, path, headers=headers, **options)
        check_contract(self.service.openapi, method, path, response)
        return response

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        return self.request("PATCH", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)


def check_contract(openapi: dict[str, Any], method: str, path: str, response: Response) -> None:
    """The status, the media type and the body are ones that openapi.json promises."""
    bare = path.partition("?")[0]
    literal_first = sorted(openapi["paths"].items(), key=lambda each: each[0].count("{"))
    for template, operations in literal_first:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), bare) and method.lower() in operations:
            promised = operations[method.lower()]["responses"]
            status = str(response.status_code)
            answer = promised.get(status) or promised.get(f"{status[0]}XX")
            assert answer, f"{method} {template} answered {status}"
            if "$ref" in answer:
                answer = openapi["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            content = answer.get("content", {})
            if not content:
                assert response.content == b""
                return
            media_type = response.headers["content-type"].partition(";")[0]
            assert media_type in content
            if media_type == "text/csv":
                return
            schema = content[media_type]["schema"] | {"components": openapi["components"]}
            validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
            validator.validate(response.json())
            return


class World:
    """Rows as a test needs them, written past the API."""

    def __init__(self, runner: asyncio.Runner, service: Service) -> None:
        self._runner = runner
        self.service = service
        self._connection: Any = runner.run(asyncpg.connect(service.database_url))
        for statement in SCARCE_KEYS:
            self.sql(statement)

    def close(self) -> None:
        self._runner.run(self._connection.close())

    def sql(self, statement: str, *values: object) -> list[Any]:
        rows: list[Any] = self._runner.run(self._connection.fetch(statement, *values))
        return rows

    def tenant(self) -> Any:
        """A new tenant; None in a service without any."""
        return self.row(TENANT_RESOURCE, None)["id"] if TENANT_RESOURCE else None

    def row(self, resource: Resource, tenant: Any, **values: Any) -> dict[str, Any]:
        """A new row, and the rows that it has to refer to. Of a tenant there is one, which gets new values."""
        wire = resource.sample() | self.references(resource, tenant, values) | values
        if resource.id_kind != "serial":
            wire.setdefault("id", str(tenant if resource.tenant == "self" and tenant else new_id()))
        columns = {resource.columns[name]: place(value) if name in resource.places else value for name, value in wire.items()}
        if resource.tenant == "scoped":
            columns[resource.tenant_column] = str(tenant)
        names = ", ".join(columns)
        keyed = {name.strip('"'): value for name, value in columns.items()}
        chosen = f"select {names} from jsonb_populate_record(null::{resource.table}, $1::jsonb)"
        id = resource.columns["id"]
        again = f"on conflict ({id}) do update set ({names}) = ({chosen})" if resource.tenant == "self" else ""
        (row,) = self.sql(
            f"insert into {resource.table} ({names}) {chosen} {again} returning {id} as id", json.dumps(keyed)
        )
        return wire | {"id": row["id"] if resource.id_kind == "serial" else str(row["id"])}

    def references(self, resource: Resource, tenant: Any, given: dict[str, Any]) -> dict[str, Any]:
        """The ids of new rows for the references that cannot be null."""
        return {
            name: self.row(BY_NAME[resource.references[name]], tenant)["id"]
            for name in resource.required
            if name not in given
        }

    def body(self, resource: Resource, tenant: Any, role: str, user: Any = None) -> dict[str, Any]:
        """A valid body for a create by the role, which may read what the row has to refer to."""
        references = {
            name: self.readable(BY_NAME[resource.references[name]], tenant, role, user)["id"]
            for name in resource.required
        }
        return writable(resource, role) | references

    def readable(self, resource: Resource, tenant: Any, role: str, user: Any = None, **values: Any) -> dict[str, Any]:
        """A new row that the role may read, if its grants say how."""
        for grant in grants_of(role, f"{resource.name}:read"):
            found = self.satisfy(resource, grant, tenant, user)
            if found is not None and (user is not None or not any(each["me"] for each in grant)):
                return self.row(resource, tenant, **found | values)
        return self.row(resource, tenant, **values)

    def caller(self, role: str, tenant: Any = None, user: Any = None) -> Caller:
        return Caller(self.service, role, tenant, user)

    def able(self, permission: str, tenant: Any, user: Any = None) -> Caller:
        """A caller that has the permission on every row; the test is skipped when no role has."""
        role = role_with(permission)
        if role is None:
            pytest.skip(f"no role has {permission} on every row")
        return self.caller(role, tenant, user)

    def able_to_all(self, permissions: Iterable[str], tenant: Any, user: Any = None) -> Caller:
        """A caller that has every one of the permissions on every row."""
        wanted = list(permissions)
        role = role_with(*wanted)
        if role is None:
            pytest.skip(f"no role has {' and '.join(wanted)} on every row")
        return self.caller(role, tenant, user)

    def related(self, resource: Resource, name: str, tenant: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A row of the resource, and another one that the relation leads to."""
        relation = resource.relations[name]
        target = BY_NAME[relation.target]
        if relation.key != "id":
            other = self._any(target, tenant)
            return self.row(resource, tenant, **{relation.key: other["id"]}), other
        row = self._any(resource, tenant)
        if not relation.link:
            return row, self.row(target, tenant, **{relation.guard[1]: row["id"]})
        other = self._any(target, tenant)
        self.link(relation, tenant, row["id"], other["id"])
        return row, other

    def _any(self, resource: Resource, tenant: Any) -> dict[str, Any]:
        return {"id": str(tenant)} if resource.tenant == "self" else self.row(resource, tenant)

    def link(self, relation: Relation, tenant: Any, id: Any, other: Any) -> None:
        """Link two rows, past the API."""
        values = {relation.link_here: id, relation.link_there: other}
        values |= {relation.link_tenant: str(tenant)} if relation.link_tenant else {}
        keyed = {name.strip('"'): value for name, value in values.items()}
        names = ", ".join(values)
        self.sql(
            f"insert into {relation.link} ({names}) select {names} "
            f"from jsonb_populate_record(null::{relation.link}, $1::jsonb)",
            json.dumps(keyed),
        )

    def satisfy(self, resource: Resource, grant: Grant, tenant: Any, user: Any) -> dict[str, Any] | None:
        """Values of a row that the grant reaches; None when that takes more than values of the row."""
        names = {column: name for name, column in resource.columns.items()}
        found: dict[str, Any] = {}
        for condition in grant:
            if "link" in condition:
                return None
            value = _values(condition, tenant, user)[0]
            known = found.setdefault(names[condition["column"]], value)
            if known != value:
                return None
        return found

    def reaches(self, resource: Resource, grant: Grant, row: dict[str, Any], tenant: Any, user: Any) -> bool:
        """Whether the row happens to be one that the grant reaches."""
        names = {column: name for name, column in resource.columns.items()}
        return all(
            "link" not in condition
            and str(row.get(names[condition["column"]])) in map(str, _values(condition, tenant, user))
            for condition in grant
        )

    def user(self, resource: Resource, tenant: Any) -> str:
        """The id of a user that rows of the resource can refer to. Where users are the resource, there is none yet."""
        if USER is None or USER == resource.name:
            return str(new_id())
        return str(self.row(BY_NAME[USER], tenant)["id"])


def _values(condition: dict[str, Any], tenant: Any, user: Any) -> list[Any]:
    """What the column may hold for the caller."""
    return [*[str(user)] * condition["me"], *[str(tenant)] * condition["tenant"], *condition["values"]]


def place(value: Any) -> Any:
    """A point, a line or the rings of a polygon, as PostgreSQL writes them."""
    if value is None:
        return None
    if isinstance(value[0], (int, float)):
        return f"({value[0]},{value[1]})"
    points = [place(each) for each in value]
    return points if isinstance(value[0][0], list) else f"({','.join(points)})"


def roles_of(role: str) -> frozenset[str]:
    """The roles that a caller with a token for this one has."""
    return frozenset({role, "public"} | ({"authenticated"} if role != "public" else set()))


def grants_of(role: str, permission: str) -> list[Grant]:
    return [grant for held in sorted(roles_of(role)) for grant in PERMISSIONS.get(held, {}).get(permission, ())]


def role_with(*permissions: str) -> str | None:
    """The least role that has the permissions on every row."""
    for role in (*reversed(ROLES), "service", "authenticated", "public"):
        if all(() in grants_of(role, permission) for permission in permissions):
            return role
    return None


def hidden(resource: Resource, role: str) -> set[str]:
    """The fields that the role does not see."""
    return {name for name, readers in resource.readable_by.items() if not readers & roles_of(role)}


def writable(resource: Resource, role: str) -> dict[str, Any]:
    """A sample of the fields that the role may set."""
    held = roles_of(role)
    return {
        name: value
        for name, value in resource.sample().items()
        if resource.writable_by.get(name, held) & held
    }


def unknown_id(resource: Resource) -> Any:
    """An id that no row has."""
    return 999999999 if resource.id_kind == "serial" else str(new_id())


class Way(NamedTuple):
    """A way to rows of a resource: what is sent, and all that the caller has to be allowed."""

    method: str
    path: str
    permissions: tuple[str, ...]
    sent: Callable[[dict[str, Any], Any], Any] = lambda body, id: None
    target: str = ""
    """The resource at the other end of a link."""

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({', '.join(self.permissions)})"

    def send(self, caller: Caller, resource: Resource, body: dict[str, Any]) -> Response:
        """Go it, to a row that is not there."""
        id, other = unknown_id(resource), unknown_id(BY_NAME[self.target or resource.name])
        sent = self.sent(body, id)
        options = {} if sent is None else {"json": sent}
        return caller.request(self.method, resource.path + self.path.format(id=id, other=other), **options)


def ways(resource: Resource) -> list[Way]:
    """Every way to rows of the resource."""
    actions = ("read", "create", "update", "delete", "restore", "read_deleted")
    read, create, update, delete, restore, read_deleted = (f"{resource.name}:{action}" for action in actions)
    found = [Way("GET", "", (read,)), Way("GET", "/{id}", (read,))]
    if resource.soft_delete:
        found += [Way("GET", "?deleted=only", (read, read_deleted)), Way("POST", "/{id}/restore", (restore,))]
    if not resource.read_only:
        found += [
            Way("POST", "", (create,), lambda body, id: body),
            Way("PATCH", "/{id}", (update,), lambda body, id: {}),
            Way("DELETE", "/{id}", (delete,)),
        ]
    if not resource.read_only and resource.tenant != "self":
        found += [
            Way("POST", "/batch", (create,), lambda body, id: {"items": [body]}),
            Way("POST", "/batch-update", (update,), lambda body, id: {"items": [{"id": id}]}),
            Way("POST", "/batch-delete", (delete,), lambda body, id: {"ids": [id]}),
        ]
    if resource.natural_key and resource.tenant != "self":
        known: Callable[[dict[str, Any], Any], Any] = lambda body, id: {"items": [body], "on_conflict": "update"}  # noqa: E731
        found.append(Way("POST", "/batch", (create, update), known))
    for name, relation in resource.relations.items():
        if relation.body:
            path, needed = f"/{{id}}/{name.replace('_', '-')}/{{other}}", (update, f"{relation.target}:read")
            found += [Way(method, path, needed, target=relation.target) for method in ("PUT", "DELETE")]
    return found


def lacking(permission: str, wanted: Iterable[str]) -> str | None:
    """A role that has all that is wanted, on some rows at least, but the permission."""
    for role in ("authenticated", *ROLES, "service"):
        held = {each for each in wanted if grants_of(role, each)}
        if permission not in held and held | {permission} == set(wanted):
            return role
    return None
