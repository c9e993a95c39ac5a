"""HTTP around a feature: conditional requests, page links, retries, and requests that are refused early."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import asyncpg
from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from app.core.access import Principal
from app.core.auth import authenticate
from app.core.db import Database
from app.core.errors import Problem, invalid_parameter, render
from app.core.paging import Page

T = TypeVar("T", bound=BaseModel)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# FastAPI runs a dependency that is no coroutine in a thread, which takes longer than what these do.


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _if_match(request: Request) -> list[int] | None:
    """The versions that the caller will accept to change; None is any. Weak tags count: proxies make them."""
    header = request.headers.get("if-match", "").strip()
    if header in ("", "*"):
        return None
    return [int(tag) for tag in re.findall(r'(?:W/)?"(\d{1,18})"', header)]


Caller = Annotated[Principal, Depends(authenticate)]
Db = Annotated[Database, Depends(_database)]
IfMatch = Annotated[list[int] | None, Depends(_if_match)]


async def no_parameters(request: Request) -> None:
    """Refuse every parameter, on routes that take none."""
    for name in request.query_params:
        raise invalid_parameter(name, "there is no such parameter", "unknown_parameter")


async def only_include(request: Request) -> list[str]:
    """The relations to include; every other parameter is refused."""
    for name in request.query_params:
        if name != "include":
            raise invalid_parameter(name, "there is no such parameter", "unknown_parameter")
    paths = request.query_params.getlist("include")
    if len(paths) > 5:
        raise invalid_parameter("include", "at most 5 relations")
    return paths


Include = Annotated[list[str], Depends(only_include)]


def reply_included(row: Mapping[str, Any]) -> Response:
    """One row with its relations. There is no ETag, since those have versions of their own."""
    return JSONResponse(row, headers={"Cache-Control": "private, no-cache"})


def reply(request: Request, row: BaseModel, hidden: set[str], *, status: int = 200) -> Response:
    """One row, with its ETag; 304 when the caller has it already."""
    headers: dict[str, str] = {"Cache-Control": "private, no-cache"}
    version = getattr(row, "version", None)
    if version is not None:
        headers["ETag"] = f'"{version}"'
        known = re.findall(r'(?:W/)?("\d{1,18}")', request.headers.get("if-none-match", ""))
        if request.method in ("GET", "HEAD") and headers["ETag"] in known:
            return Response(status_code=304, headers=headers)
    if status == 201:
        headers["Location"] = f"{quote(request.scope['path'])}/{getattr(row, 'id')}"  # noqa: B009
    body = row.model_dump_json(by_alias=True, exclude=attributes(type(row), hidden))
    return Response(body, status, headers, media_type="application/json")


def reply_page(
    request: Request, page: Page[T], hidden: set[str], included: list[dict[str, Any]] | None = None
) -> Response:
    """A page of rows, with a link to the next. `included` are the same rows with their relations."""
    headers = {"Cache-Control": "private, no-cache"}
    if included is not None:
        rows = _encode(included)
    elif page.data:
        shape = type(page.data[0])
        exclude: Any = {"__all__": attributes(shape, hidden)} if hidden else None
        rows = _rows(shape).dump_json(page.data, by_alias=True, exclude=exclude).decode()
    else:
        rows = "[]"
    info: dict[str, Any] = {
        "limit": page.limit,
        "has_more": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
    }
    if page.total is not None:
        info["total"] = page.total
    if page.next_cursor is not None:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "offset")]
        query = urlencode([*kept, ("cursor", page.next_cursor)])
        headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    body = f'{{"data":{rows},"page":{_encode(info)}}}'
    return Response(body, 200, headers, media_type="application/json")


def attributes(shape: type[BaseModel], fields: set[str]) -> set[str]:
    """The attributes of the shape that hold the fields, which may be called otherwise on the wire."""
    return {name for name, info in shape.model_fields.items() if (info.alias or name) in fields}


@lru_cache(maxsize=1024)
def _rows(shape: type[BaseModel]) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[shape])  # type: ignore[valid-type]


class StrictRequest(Request):
    """A request whose body is JSON, and not what Python takes for JSON besides."""

    async def json(self) -> Any:
        return json.loads(await self.body(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


class Route(APIRoute):
    """Answers HEAD as GET, without the body (RFC 9110, 9.3.2)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.methods is not None and "GET" in self.methods:
            self.methods.add("HEAD")


class RetryingRoute(Route):
    """Runs a request again when PostgreSQL chose it as the victim of a deadlock or a write conflict."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_retries(plain: Request) -> Response:
            request = StrictRequest(plain.scope, plain.receive)
            for _ in range(3):
                try:
                    return await handle(request)
                except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                    continue
            return await handle(request)

        return handle_with_retries


class RequestLimits:
    """Refuses bodies that are too large, or not JSON, before anything reads them."""

    def __init__(self, app: Any, max_body: int) -> None:
        self.app = app
        self.max_body = max_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PATCH", "PUT"):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        length = request.headers.get("content-length", "0")
        too_large = Problem(413, "content_too_large", f"A body has at most {self.max_body} bytes.")
        if not length.isdigit() or int(length) > self.max_body:
            await render(request, too_large)(scope, receive, send)
            return
        has_body = length != "0" or "transfer-encoding" in request.headers
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and media_type not in ("application/json", "application/merge-patch+json"):
            problem = Problem(415, "unsupported_media_type", "Send the body as application/json.")
            await render(request, problem)(scope, receive, send)
            return
        received = 0

        async def counted() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_body:
                raise too_large
            return message

        await self.app(scope, counted, send)
