"""The rows that every peer holds: the same 100,000 customers, half of them readable by the user who asks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

ROWS = 100_000
PAGE = 25

STATUSES = ("active", "draft", "paused", "closed")
LISTED_STATUS = "active"
CREATED_STATUS = "draft"
"""Rows made while measuring have another status than the rows that are listed, so lists stay as they are."""

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"

FIRST = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatou",
    "Gustav",
    "Hana",
    "Ines",
    "Jürgen",
    "Kofi",
    "Léa",
)
LAST = (
    "Nowak",
    "O'Brien",
    "Patel",
    "Quist",
    "Rossi",
    "Sørensen",
    "Tanaka",
    "Ueda",
    "Vogel",
    "Weiß",
    "Xu",
    "Young",
)
CITIES = ("Berlin", "Besançon", "Bristol", "Lagos", "Lima", "Osaka", "Oslo", "Porto", "Pune", "Tromsø")


@dataclass(frozen=True)
class Customer:
    """One row. `amount` differs from row to row, so that an order by it has no ties."""

    id: str
    name: str
    email: str
    city: str
    status: str
    amount: int
    is_mine: bool
    """Whether it belongs to the user who asks; the others' rows must be refused, one by one."""


@dataclass(frozen=True)
class Order:
    """A row that belongs to a customer. `number` differs from order to order."""

    id: str
    number: int
    customer: str


@dataclass(frozen=True)
class Parcel:
    """A row that belongs to an order. `number` differs from parcel to parcel."""

    id: str
    number: int
    order: str


@dataclass(frozen=True)
class Dataset:
    """The rows, and what is asked of them."""

    customers: list[Customer]
    asked: list[Customer]
    """Rows of the user, at random: the reads of one row."""
    foreign: Customer
    """A row that the user must not see."""
    below: list[int]
    """For the lists: only amounts below this, so that they start all over the table."""
    orders: list[Order]
    parcels: list[Parcel]

    def page(self, below: int) -> list[Customer]:
        """What a list has to answer."""
        mine = (
            row
            for row in self.customers
            if row.is_mine and row.status == LISTED_STATUS and row.amount < below
        )
        return sorted(mine, key=lambda row: -row.amount)[:PAGE]

    def related_page(self, below: int) -> list[Order]:
        """What a list of orders by their customers has to answer."""
        found = [order for order in self._listed_orders() if order.number < below]
        return sorted(found, key=lambda order: -order.number)[:PAGE]

    def distant_page(self, below: int) -> list[Parcel]:
        """What a list of parcels by the customers of their orders has to answer."""
        wanted = {order.id for order in self._listed_orders()}
        found = [parcel for parcel in self.parcels if parcel.order in wanted and parcel.number < below]
        return sorted(found, key=lambda parcel: -parcel.number)[:PAGE]

    def _listed_orders(self) -> list[Order]:
        wanted = {row.id for row in self.customers if row.is_mine and row.status == LISTED_STATUS}
        return [order for order in self.orders if order.customer in wanted]


def make(rows: int = ROWS) -> Dataset:
    """The same data on every run."""
    chance = random.Random("bench")
    customers = list(_customers(rows, chance))
    mine = [row for row in customers if row.is_mine]
    asked = chance.sample(mine, min(4000, len(mine)))
    below = [chance.randrange(rows // 10, rows) for _ in range(1000)]
    orders = [
        Order(id=_id(chance), number=number, customer=chance.choice(customers).id) for number in range(rows)
    ]
    return Dataset(
        customers=customers,
        asked=asked,
        foreign=next(row for row in customers if not row.is_mine),
        below=below,
        orders=orders,
        parcels=[
            Parcel(id=_id(chance), number=number, order=chance.choice(orders).id) for number in range(rows)
        ],
    )


def bulk(count: int = 20) -> Iterator[list[dict[str, str | int]]]:
    """Lists of a thousand bodies each."""
    bodies = list(created(1000))
    for _ in range(count):
        yield bodies


def created(count: int = 500) -> Iterator[dict[str, str | int]]:
    """The bodies of rows to be made, without what is each peer's own (id, owner)."""
    chance = random.Random("created")
    for number in range(count):
        yield {
            "name": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            "email": f"new.{number}@customers.example",
            "city": chance.choice(CITIES),
            "status": CREATED_STATUS,
            "amount": chance.randrange(ROWS),
        }


def _customers(rows: int, chance: random.Random) -> Iterator[Customer]:
    amounts = list(range(rows))
    chance.shuffle(amounts)
    for number, amount in enumerate(amounts):
        yield Customer(
            id=_id(chance),
            name=f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            email=f"customer.{number}@customers.example",
            city=chance.choice(CITIES),
            status=chance.choices(STATUSES, (40, 20, 20, 20))[0],
            amount=amount,
            is_mine=chance.random() < 0.5,
        )


def _id(chance: random.Random) -> str:
    return "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=15))
