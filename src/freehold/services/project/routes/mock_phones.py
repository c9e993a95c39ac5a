"""Endpoints of mock phones: numbers that are only pretended, whose code is always the same."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.services.project import mock_phone_store as store
from freehold.services.project.current import current_project
from freehold.services.project.errors import MockPhoneAlreadyExists, MockPhoneNotFound, TooManyMockPhones
from freehold.services.project.mail_models import (
    CreateMockPhone,
    MockNumber,
    MockNumberList,
    UpdateMockNumbers,
    UpdateMockPhone,
)
from freehold.services.projects import Project
from freehold.services.users.models import Phone
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery, wire_time

routes = Routes("project", console=False)

_MOST = 10


@routes.get("/v1/project/mock-phones", scope="mocks.read")
async def list_mock_phones(call: Call, query: ListQuery) -> MockNumberList:
    """List the mock phones."""
    found = await store.fetch(call.db, call.project.id, query.queries, total=query.total)
    return MockNumberList(total=found.total, mock_numbers=[_as_mock_number(row) for row in found.rows])


@routes.post(
    "/v1/project/mock-phones",
    scope="mocks.write",
    event="mock-phones.[number].create",
    status=201,
    raises=(MockPhoneAlreadyExists, TooManyMockPhones),
)
async def create_mock_phone(call: Call, body: CreateMockPhone) -> MockNumber:
    """Make a mock phone: no message is sent to it, and its code is the one given here."""
    if await store.count(call.db, call.project.id) >= _MOST:
        raise TooManyMockPhones(limit=_MOST)
    call.event_ids["number"] = body.number
    return _as_mock_number(await store.create(call.db, call.project.id, body.number, body.otp))


@routes.get("/v1/project/mock-phones/{number}", scope="mocks.read", raises=(MockPhoneNotFound,))
async def get_mock_phone(call: Call, number: Phone) -> MockNumber:
    """Get a mock phone."""
    return _found(await store.find(call.db, call.project.id, number))


@routes.put(
    "/v1/project/mock-phones/{number}",
    scope="mocks.write",
    event="mock-phones.[number].update",
    raises=(MockPhoneNotFound,),
)
async def update_mock_phone(call: Call, number: Phone, body: UpdateMockPhone) -> MockNumber:
    """Give a mock phone another code."""
    return _found(await store.set_code(call.db, call.project.id, number, body.otp))


@routes.delete(
    "/v1/project/mock-phones/{number}",
    scope="mocks.write",
    event="mock-phones.[number].delete",
    status=204,
    raises=(MockPhoneNotFound,),
)
async def delete_mock_phone(call: Call, number: Phone) -> None:
    """Delete a mock phone."""
    call.tells(_found(await store.delete(call.db, call.project.id, number)))


@routes.patch(
    "/v1/projects/{projectId}/auth/mock-numbers",
    scope="projects.write",
    event="projects.[projectId].update",
)
async def update_mock_numbers(call: Call, body: UpdateMockNumbers, project_id: str) -> Project:
    """Replace all mock phones, as older SDKs do."""
    await store.delete_all(call.db, call.project.id)
    for number, otp in {each.phone: each.otp for each in body.numbers}.items():
        await store.create(call.db, call.project.id, number, otp)
    return await current_project(call)


def _found(row: Record | None) -> MockNumber:
    if row is None:
        raise MockPhoneNotFound()
    return _as_mock_number(row)


def _as_mock_number(row: Record) -> MockNumber:
    return MockNumber(
        number=row["number"],
        otp=row["otp"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
    )
