"""The OpenAPI document says what an endpoint's declaration says."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType, field

from freehold.errors import Conflict
from freehold.web import openapi
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint, Routes, limit
from freehold.web.wire import CustomId, Input, Json, Output, Queries, Resource


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Wheel(Input):
    inches: int = 26


class CreateBike(Input):
    bike_id: CustomId
    kind: Literal["road", "cargo"] = "road"
    wheels: Annotated[list[Wheel], Meta(max_length=3)] = []
    colour: Colour | None = None
    note: Annotated[str, Meta(max_length=9)] | UnsetType = UNSET


class ListBikes(Input):
    queries: Queries = []
    total: bool = True


class Bell(Output):
    """It rings."""

    sound: str


class Horn(Output):
    loudness: float


class Bike(Resource, kw_only=True):
    kind: str = "road"
    signal: Bell | Horn
    parts: dict[str, Bell]
    parents: list[Bike]
    owner: str | UnsetType = UNSET


class BikeStolen(Conflict, type="bike_stolen"):
    """The bike `{id}` is gone. Report it."""


def _routes() -> Routes:
    routes = Routes("bikes")

    @routes.post("/v1/bikes", scope="rows.write", status=201, limit=limit("5/60s"), raises=(BikeStolen,))
    async def create(call: Call, body: CreateBike) -> Bike:
        """Make a bike. It has no lock yet."""
        raise AssertionError

    @routes.get("/v1/bikes", scope="bikes.read", name="list", aliases=("/v1/cycles",))
    async def list_bikes(call: Call, query: ListBikes) -> Json:
        """List bikes."""
        raise AssertionError

    @routes.get("/v1/bikes/{bikeId}/signal", scope="rows.read", model="signal")
    async def get_signal(call: Call, bike_id: str) -> Bell | Horn:
        """Hear a bike."""
        raise AssertionError

    @routes.delete("/v1/bikes/{bikeId}", scope="rows.write", status=204, event="bikes.[bikeId].delete")
    async def delete(call: Call, bike_id: str) -> None:
        """Scrap a bike."""
        raise AssertionError

    return routes


@pytest.fixture
def endpoints() -> list[Endpoint]:
    return _routes().endpoints


@pytest.fixture
def document(endpoints: list[Endpoint]) -> dict[str, Any]:
    return openapi.document(endpoints)


def test_a_body_stands_in_its_place_with_bounds_and_defaults(document: dict[str, Any]) -> None:
    body = document["paths"]["/bikes"]["post"]["requestBody"]
    properties = body["content"]["application/json"]["schema"]["properties"]

    assert body["required"] is True
    assert body["content"]["application/json"]["schema"]["required"] == ["bikeId"]
    assert properties["kind"] == {"enum": ["road", "cargo"], "default": "road"}
    assert properties["wheels"]["items"] == {"$ref": "#/components/schemas/Wheel"}
    assert properties["wheels"]["maxItems"] == 3
    assert properties["colour"] == {"anyOf": [{"$ref": "#/components/schemas/Colour"}, {"type": "null"}]}
    assert properties["note"] == {"type": "string", "maxLength": 9}
    assert document["components"]["schemas"]["Colour"] == {"enum": ["red", "blue"]}


def test_an_answer_promises_all_its_fields_whether_they_have_a_default_or_not(
    document: dict[str, Any],
) -> None:
    bike = document["components"]["schemas"]["bike"]

    assert bike["required"] == ["$id", "$createdAt", "$updatedAt", "kind", "signal", "parts", "parents"]
    assert "default" not in bike["properties"]["kind"]
    assert bike["properties"]["owner"] == {"type": "string"}
    assert bike["properties"]["parts"]["additionalProperties"] == {"$ref": "#/components/schemas/bell"}
    assert bike["properties"]["parents"]["items"] == {"$ref": "#/components/schemas/bike"}


def test_an_answer_may_be_one_of_several(document: dict[str, Any]) -> None:
    either = [{"$ref": "#/components/schemas/bell"}, {"$ref": "#/components/schemas/horn"}]

    assert document["components"]["schemas"]["signal"] == {"anyOf": either}
    assert document["components"]["schemas"]["bike"]["properties"]["signal"] == {"anyOf": either}
    assert document["components"]["schemas"]["bell"]["description"] == "It rings."


def test_lists_in_the_query_are_named_as_they_are_sent(document: dict[str, Any]) -> None:
    names = [each["name"] for each in document["paths"]["/bikes"]["get"]["parameters"]]

    assert names == ["queries[]", "total"]


def test_errors_are_told_by_status_with_their_types(document: dict[str, Any]) -> None:
    responses = document["paths"]["/bikes"]["post"]["responses"]

    assert list(responses) == ["201", "400", "401", "404", "409", "413", "429", "default"]
    assert responses["409"]["description"] == "- `bike_stolen`: The bike … is gone. Report it."
    types = responses["409"]["content"]["application/json"]["schema"]["properties"]["type"]["enum"]
    assert types == ["bike_stolen", "general_resource_locked"]


def test_who_may_call_follows_from_the_scopes(document: dict[str, Any]) -> None:
    by_everybody = document["paths"]["/bikes"]["post"]["security"]
    by_nobody = document["paths"]["/bikes"]["get"]["security"]

    assert [" ".join(way) for way in by_everybody] == [
        "Project", "Project Session", "Project JWT", "Project Key", "Project Session Mode"
    ]  # fmt: skip
    assert by_nobody == []


def test_what_openapi_has_no_word_for_stands_beside(document: dict[str, Any]) -> None:
    assert document["paths"]["/bikes/{bikeId}"]["delete"]["x-freehold"] == {
        "sdk": {"service": "bikes", "method": "delete"},
        "scopes": ["rows.write"],
        "event": "bikes.[bikeId].delete",
        "limits": [],
        "aliases": [],
        "reference": True,
        "errors": [],
    }
    assert document["paths"]["/bikes"]["get"]["x-freehold"]["aliases"] == ["/v1/cycles"]
    assert document["paths"]["/bikes"]["post"]["x-freehold"]["limits"] == [
        {"hits": 5, "seconds": 60, "key": "url:{url},ip:{ip}"}
    ]


def test_the_first_sentence_is_the_summary(document: dict[str, Any]) -> None:
    post, get = document["paths"]["/bikes"]["post"], document["paths"]["/bikes"]["get"]

    assert (post["summary"], post["description"]) == ("Make a bike", "Make a bike. It has no lock yet.")
    assert get["summary"] == "List bikes"
    assert "description" not in get


def test_two_models_of_one_name_are_refused() -> None:
    class Bike(Output):
        wings: int = field(name="wings")

    routes = _routes()

    @routes.get("/v1/planes", scope="rows.read", model=Bike)
    async def get_plane(call: Call) -> Json:
        """Get a plane."""
        raise AssertionError

    with pytest.raises(TypeError, match="Two models are called bike"):
        openapi.document(routes.endpoints)


def test_the_same_declarations_give_the_same_bytes(endpoints: list[Endpoint]) -> None:
    encoded = openapi.encode(endpoints)

    assert encoded == openapi.encode(endpoints)
    assert msgspec.json.decode(encoded) == openapi.document(endpoints)
    assert encoded.endswith(b"}\n")
