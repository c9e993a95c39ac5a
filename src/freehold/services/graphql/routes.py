"""Endpoints of the graphql service."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from freehold.errors import InvalidBody, InvalidParameter
from freehold.services.graphql.documents import MAX_CHARACTERS
from freehold.services.graphql.errors import NoQuery, ReadOnly, TooManyQueries, UnsupportedContentType
from freehold.services.graphql.execution import Api, Wanted
from freehold.web.application import Application
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.request import decode_json
from freehold.web.wire import Input, Json

_LIMIT = limit("60/60s")
_MAX_QUERIES = 10

routes = Routes("graphql", protocol="graphql")  # what a document asks is refused endpoint by endpoint


class GetQuery(Input):
    query: Annotated[str, Meta(max_length=MAX_CHARACTERS)]
    operation_name: Annotated[str, Meta(max_length=256)] = ""
    variables: str = ""


@routes.get(
    "/v1/graphql", scope="graphql", half_signed_in=True, limit=_LIMIT, model="any", raises=(NoQuery, ReadOnly)
)
async def get(call: Call, query: GetQuery) -> Json:
    """Run a GraphQL query. By GET nothing can be changed."""
    wanted = _wanted(msgspec.to_builtins(query))
    [answer] = await _api(call.app).run(call, [wanted], reading=True)
    return Json(msgspec.json.encode(answer))


_POSTED = (NoQuery, TooManyQueries, UnsupportedContentType, InvalidBody, InvalidParameter)


@routes.post("/v1/graphql", scope="graphql", half_signed_in=True, limit=_LIMIT, model="any", raises=_POSTED)
async def query(call: Call) -> Json:
    """Run a GraphQL document, or up to ten of them. Errors of their fields are in the answer."""
    return await _posted(call)


@routes.post(
    "/v1/graphql/mutation", scope="graphql", half_signed_in=True, limit=_LIMIT, model="any", raises=_POSTED
)
async def mutation(call: Call) -> Json:
    """Run a GraphQL document that changes something; the same as `query`."""
    return await _posted(call)


async def _posted(call: Call) -> Json:
    asked = _read(call)
    queries = asked if isinstance(asked, list) else [asked]
    if not queries:
        raise NoQuery()
    if len(queries) > _MAX_QUERIES:
        raise TooManyQueries(limit=_MAX_QUERIES)
    answers = await _api(call.app).run(call, [_wanted(each) for each in queries], reading=False)
    return Json(msgspec.json.encode(answers if isinstance(asked, list) else answers[0]))


def _read(call: Call) -> Any:
    """What is asked: a document with its variables, or a list of them. SDKs put it one `query` deeper.

    Other content types are refused because any page can make a browser send those, with its cookies.
    """
    content_type = call.request.header(b"content-type").partition(";")[0].strip().lower()
    if content_type == "application/graphql":
        return {"query": call.request.body.decode("utf-8", "replace")}
    if content_type != "application/json":
        raise UnsupportedContentType()
    asked = decode_json(call.request.body or b"{}")
    inner = asked.get("query") if isinstance(asked, dict) else None
    return inner if isinstance(inner, dict | list) else asked


def _wanted(asked: Any) -> Wanted:
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str) or not asked["query"].strip():
        raise NoQuery()
    variables = asked.get("variables") or {}
    if isinstance(variables, str):
        variables = decode_json(variables.encode())
    if not isinstance(variables, dict):
        raise InvalidParameter(name="variables", reason="It has to be an object.")
    name = asked.get("operationName") or None
    if name is not None and not isinstance(name, str):
        raise InvalidParameter(name="operationName", reason="It has to be a text.")
    return Wanted(query=asked["query"], variables=variables, operation_name=name)


@lru_cache(1)
def _api(app: Application) -> Api:
    """Made when it is first asked for: most processes start without ever needing it."""
    return Api(
        app.endpoints, max_depth=app.settings.graphql_depth, max_fields=app.settings.graphql_complexity
    )
