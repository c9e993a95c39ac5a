"""Customers by hand: FastAPI, Pydantic and asyncpg, as one would write them for these tables only."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

SECRET = os.environ["AUTH_DEV_SECRET"]
COLUMNS = "id, name, email, status, city, revenue, created_at, updated_at, version"


class CustomerCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=120)]
    email: Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]
    status: Literal["lead", "active", "former"] = "lead"
    city: Annotated[str, Field(max_length=80)] | None = None
    revenue: Annotated[Decimal, Field(max_digits=12, decimal_places=2)] | None = None


class Customer(BaseModel):
    id: UUID
    name: str
    email: str
    status: str
    city: str | None
    revenue: Decimal | None
    created_at: datetime
    updated_at: datetime
    version: int


class PageInfo(BaseModel):
    limit: int
    has_more: bool


class Page(BaseModel):
    data: list[Customer]
    page: PageInfo


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=10, command_timeout=20,
        server_settings={"role": "app_api", "timezone": "UTC"},
    ) as pool:  # fmt: skip
        app.state.pool = pool
        yield


async def tenant_of(request: Request) -> UUID:
    """The tenant of the caller, who has to be an admin."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], issuer="dev", options={"require": ["exp"]})
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    if "admin" not in claims["roles"]:
        raise HTTPException(403)
    return UUID(claims["tenant_id"])


Tenant = Annotated[UUID, Depends(tenant_of)]
app = FastAPI(lifespan=lifespan)


@asynccontextmanager
async def transaction(request: Request, tenant: UUID) -> AsyncIterator[Any]:
    """A transaction in which row-level security knows the tenant."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('app.tenant_id', $1, true)", str(tenant))
        yield connection


@app.get("/v1/customers/{customer_id}")
async def get(request: Request, tenant: Tenant, customer_id: UUID) -> Customer:
    async with transaction(request, tenant) as db:
        row = await db.fetchrow(
            f"select {COLUMNS} from customer where tenant_id = $1 and id = $2", tenant, customer_id
        )
    if row is None:
        raise HTTPException(404)
    return Customer(**row)


@app.get("/v1/customers")
async def list_customers(
    request: Request, tenant: Tenant, limit: Annotated[int, Query(ge=1, le=100)] = 25
) -> Page:
    async with transaction(request, tenant) as db:
        rows = await db.fetch(
            f"select {COLUMNS} from customer where tenant_id = $1 order by id limit $2", tenant, limit + 1
        )
    info = PageInfo(limit=limit, has_more=len(rows) > limit)
    return Page(data=[Customer(**row) for row in rows[:limit]], page=info)


@app.post("/v1/customers", status_code=201)
async def create(request: Request, tenant: Tenant, body: CustomerCreate) -> Customer:
    async with transaction(request, tenant) as db:
        row = await db.fetchrow(
            "insert into customer (tenant_id, id, name, email, status, city, revenue)"
            f" values ($1, $2, $3, $4, $5, $6, $7) returning {COLUMNS}",
            tenant, uuid4(), body.name, body.email, body.status, body.city, body.revenue,
        )  # fmt: skip
    return Customer(**row)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False, log_level="warning")
