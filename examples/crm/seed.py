"""Fills the CRM with 10,000 realistic rows, through the official Python SDK.

    freehold up                              # prints the endpoint, the project and a key
    export FREEHOLD_ENDPOINT=... FREEHOLD_PROJECT=... FREEHOLD_KEY=...
    freehold apply --schema examples/crm     # makes the tables
    python examples/crm/seed.py

The rows are the same on every run, and so are their ids: what was written before is skipped, so that a run
which was interrupted is finished by the next one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import sys
import threading
import time
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from appwrite.client import Client  # type: ignore[import-untyped]
from appwrite.exception import AppwriteException  # type: ignore[import-untyped]
from appwrite.services.tables_db import TablesDB  # type: ignore[import-untyped]

TODAY = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
"""When the data was 'written'. Fixed, so that two runs agree."""

Value = Any


@dataclass(frozen=True)
class Row:
    """One row to be written. `tenant` is None where the table belongs to nobody."""

    table: str
    id: str
    data: dict[str, Value]
    tenant: str | None = None


@dataclass(frozen=True)
class Organization:
    """A tenant, and how much it has of everything."""

    name: str
    slug: str
    plan: str
    support_line: str
    country: str
    users: int
    companies: int
    products: int
    deals: int
    activities: int
    notes: int


def words(text: str) -> list[str]:
    return text.split()


ORGANIZATIONS = (
    Organization("Northwind Roofing", "northwind", "enterprise", "3rd", "DE", 24, 520, 90, 620, 1100, 377),
    Organization("Blue Harbour Media", "blue-harbour", "team", "2nd", "GB", 12, 290, 60, 310, 540, 210),
    Organization("Solvang Energi", "solvang", "team", "1st", "NO", 9, 150, 45, 180, 300, 120),
    Organization("Petite Ourse", "petite-ourse", "free", "1st", "FR", 4, 50, 20, 45, 70, 30),
)

CURRENCIES = (
    ("EUR", "Euro", 2),
    ("GBP", "Pound sterling", 2),
    ("NOK", "Norwegian krone", 2),
    ("USD", "US dollar", 2),
    ("CHF", "Swiss franc", 2),
    ("JPY", "Japanese yen", 0),
    ("SEK", "Swedish krona", 2),
    ("KWD", "Kuwaiti dinar", 3),
)
CURRENCY_OF = {"DE": "EUR", "FR": "EUR", "GB": "GBP", "NO": "NOK"}

FIRST_NAMES = words(
    "Anna Jonas Márta Oliver Zoë Henrik Amélie Tomasz Ingrid Luca Priya Émile Sigrid Noah Clara Kofi "
    "Łucja Mateo Hanna Yusuf Beatrice Søren Maeve Dariusz Leïla Björn Nina Oscar Ayumi Rafael Eszter "
    "Liam"
)
LAST_NAMES = words(
    "Becker Okafor Lindqvist O'Brien Moreau Nowak Haugen Fischer Ferrari Patel Novák Dubois Larsen "
    "Whitfield Müller Santos Szabó Johansen Kowalski Petit Ærø Schneider Nakamura Rossi Byrne Vogel "
    "Abenov Marchand Eriksen Clarke"
)
COMPANY_WORDS = words(
    "Alder Atlas Beacon Borealis Cedar Cobalt Delta Ember Fjord Gable Harbour Iris Juniper Keystone "
    "Lumen Meridian Nimbus Orchard Pinnacle Quarry Rowan Summit Tern Umbra Vega Willow Zenith Amber "
    "Basalt Linden"
)
TRADES = {
    "Construction": "Bau Builders Roofing Timber",
    "Energy": "Energi Power Solar Wind",
    "Retail": "Market Stores Trading Outfitters",
    "Logistics": "Freight Logistics Shipping Transport",
    "Software": "Labs Software Systems Data",
    "Health": "Care Clinic Pharma Medical",
    "Food": "Bakery Farms Foods Kitchen",
    "Media": "Film Media Press Studio",
}
LEGAL_FORMS = {"DE": "GmbH", "GB": "Ltd", "NO": "AS", "FR": "SARL"}
CITIES = {
    "DE": ("Hamburg", "Köln", "Leipzig", "München", "Düsseldorf"),
    "GB": ("Bristol", "Leeds", "Glasgow", "London", "Norwich"),
    "NO": ("Oslo", "Bergen", "Tromsø", "Trondheim", "Ålesund"),
    "FR": ("Lyon", "Nantes", "Besançon", "Paris", "Nîmes"),
}
DIALLING_CODES = {"DE": "+49", "GB": "+44", "NO": "+47", "FR": "+33"}
LANGUAGES = {"DE": "de", "GB": "en", "NO": "nb", "FR": "fr"}
TITLES = ("Account executive", "Head of sales", "Sales engineer", "Customer success", "Office manager")
POSITIONS = (
    "Managing director",
    "Buyer",
    "Head of IT",
    "Site manager",
    "Accountant",
    "Operations lead",
    "Founder",
)
TAGS = (
    ("vip", "#b8860b"),
    ("newsletter", "#2e8b57"),
    ("partner", "#4169e1"),
    ("at risk", "#b22222"),
    ("referral", "#6a5acd"),
    ("trade fair", "#008b8b"),
    ("slow payer", "#a0522d"),
    ("reference", "#556b2f"),
)
PRODUCT_WORDS = ("Starter", "Standard", "Plus", "Professional", "Site", "Fleet", "Care", "Premium")
PRODUCT_KINDS = (
    ("audit", "hour", 95, 180),
    ("licence", "month", 19, 290),
    ("installation", "day", 600, 1400),
    ("sensor", "piece", 35, 420),
    ("maintenance plan", "year", 240, 3600),
    ("training", "day", 700, 1600),
)
PIPELINES = {
    "New business": (
        ("Qualified", 10, "open"), ("Offer sent", 35, "open"), ("Negotiation", 65, "open"),
        ("Won", 100, "won"), ("Lost", 0, "lost"),
    ),
    "Renewals": (
        ("Due", 60, "open"), ("Confirmed verbally", 90, "open"), ("Won", 100, "won"), ("Lost", 0, "lost"),
    ),
}  # fmt: skip
LOST_REASONS = (
    "Too expensive.",
    "Chose a competitor.",
    "Project was stopped.",
    "No answer after three calls.",
)
SUBJECTS = {
    "call": ("First call", "Ask about the budget", "Talk through the offer", "Call back about the invoice"),
    "meeting": ("Site visit", "Demo at their office", "Kick-off", "Quarterly review"),
    "mail": ("Send the offer", "Send references", "Answer questions on the contract", "Say thank you"),
    "task": ("Prepare the slides", "Check the drawings", "Update the forecast", "Ask legal about § 7"),
}
NOTE_OPENINGS = (
    "Spoke with the owner.",
    "They liked the demo.",
    "Budget is not before next year.",
    "Was referred by a friend.",
    "Careful: two people decide.",
    "Prefers mail to calls.",
    "Wants everything in writing.",
)
NOTE_ENDINGS = (
    "Call again next week.",
    "Wait for their answer.",
    "Send the price list.",
    "Bring samples to the next visit.",
    'They said: "we\'ll see".',
    "Nothing to be done for now.",
    "Ask Jonas — he knows them.",
)
INDUSTRIES = tuple(TRADES)
KINDS = ("lead", "prospect", "customer", "former")


def rows() -> Iterator[tuple[Row, ...]]:
    """Every row there is, in batches: the rows of a batch refer only to rows of earlier ones."""
    tenants = [Tenant(organization) for organization in ORGANIZATIONS]
    yield tuple(tenant.row() for tenant in tenants)
    yield tuple(
        Row("currency", stable_id("currency", code), {"code": code, "name": name, "digits": digits})
        for code, name, digits in CURRENCIES
    )
    for tenant in tenants:
        yield from tenant.batches()


class Tenant:
    """Invents what belongs to one organization, from random numbers of its own."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.id = stable_id("organization", organization.slug)
        self.random = random.Random(organization.slug)

    def row(self) -> Row:
        here = self.organization
        data = {
            "name": here.name,
            "slug": here.slug,
            "plan": here.plan,
            "support_line": here.support_line,
            "billing_email": f"billing@{here.slug}.example",
            "seats": here.users + 1,
        }
        return Row("organization", self.id, data, tenant=self.id)

    def batches(self) -> Iterator[tuple[Row, ...]]:
        here = self.organization
        boss, *staff = users = [self.user(n) for n in range(here.users)]
        tags = [self.of("tag", name, {"name": name, "color": color}) for name, color in TAGS]
        products = [self.product(n) for n in range(here.products)]
        pipelines = [
            self.of("pipeline", name, {"name": name, "is_default": name == "New business"})
            for name in PIPELINES
        ]
        yield (boss, *tags, *products, *pipelines)

        stages = [stage for pipeline in pipelines for stage in self.stages(pipeline)]
        companies = [self.company(n, users) for n in range(here.companies)]
        groups = companies[: here.companies // 10]
        yield (*(self.below(boss, person) for person in staff), *stages, *groups)

        yield tuple(self.subsidiary(company, groups) for company in companies[len(groups) :])

        contacts = [contact for company in companies for contact in self.contacts(company, users)]
        yield tuple(contacts)

        deals = [self.deal(n, users, companies, contacts, stages) for n in range(here.deals)]
        yield tuple(deals)

        lines = [line for deal in deals for line in self.lines(deal, products)]
        activities = [self.activity(n, users, contacts, deals) for n in range(here.activities)]
        follow_ups = [self.follow_up(n, users, activities) for n in range(here.activities // 12)]
        notes = [self.note(n, users, companies, deals) for n in range(here.notes)]
        yield (*lines, *activities, *notes)
        yield tuple(follow_ups)

    def of(self, table: str, key: object, data: dict[str, Value]) -> Row:
        return Row(table, stable_id(table, self.organization.slug, key), data, tenant=self.id)

    def user(self, n: int) -> Row:
        first, last = self.person()
        data = {
            "email": f"{ascii_only(first)}.{ascii_only(last)}.{n}@{self.organization.slug}.example".lower(),
            "name": f"{first} {last}",
            "title": "Managing director" if n == 0 else self.pick(TITLES),
            "is_active": n == 0 or self.chance(0.92),
            "quota": money(self.random.randrange(40_000, 400_000, 5_000)) if n and self.chance(0.7) else None,
        }
        return self.of("user", n, data)

    def below(self, boss: Row, person: Row) -> Row:
        return Row(person.table, person.id, person.data | {"manager_id": boss.id}, person.tenant)

    def product(self, n: int) -> Row:
        kind, unit, least, most = PRODUCT_KINDS[n % len(PRODUCT_KINDS)]
        word = PRODUCT_WORDS[n // len(PRODUCT_KINDS) % len(PRODUCT_WORDS)]
        price = self.random.randrange(least * 100, most * 100, 50) / 100
        data = {
            "sku": f"{kind[:3].upper()}-{n:04d}",
            "name": f"{word} {kind}" + (f" {n // 48 + 1}" if n >= 48 else ""),
            "description": f"Our {word.lower()} {kind}.\nSold by the {unit}." if self.chance(0.6) else None,
            "unit": unit,
            "price": money(price),
            "cost": money(price * self.random.uniform(0.3, 0.7)) if self.chance(0.8) else None,
            "tax_rate": self.pick(("0.00", "7.00", "20.00", "20.00", "20.00")),
            "is_sold": self.chance(0.88),
        }
        return self.of("product", n, data)

    def stages(self, pipeline: Row) -> Iterator[Row]:
        name = pipeline.data["name"]
        for position, (stage, probability, outcome) in enumerate(PIPELINES[name], start=1):
            data = {
                "pipeline_id": pipeline.id,
                "name": stage,
                "position": position,
                "probability": probability,
                "outcome": outcome,
            }
            yield self.of("stage", f"{name}/{position}", data)

    def company(self, n: int, users: Sequence[Row]) -> Row:
        country = self.organization.country if self.chance(0.75) else self.pick(tuple(CITIES))
        industry = self.pick(INDUSTRIES)
        name = f"{self.pick(COMPANY_WORDS)} {self.pick(TRADES[industry].split())} {LEGAL_FORMS[country]}"
        kind = self.weighted(KINDS, (35, 25, 33, 7))
        data = {
            "name": name,
            "number": f"C-{10_000 + n}",
            "kind": kind,
            "tier": self.weighted(("1st", "2nd", "3rd"), (10, 30, 60)),
            "industry": industry if self.chance(0.9) else None,
            "website": f"https://{ascii_only(name.rsplit(' ', 1)[0]).lower().replace(' ', '-')}-{n}.example"
            if self.chance(0.8)
            else None,
            "phones": [self.phone(country) for _ in range(self.random.choice((0, 1, 1, 2)))],
            "employees": int(self.random.lognormvariate(3.4, 1.3)) if self.chance(0.7) else None,
            "revenue": money(self.random.lognormvariate(13.5, 1.4)) if self.chance(0.5) else None,
            "city": self.pick(CITIES[country]),
            "country": country,
            "customer_since": self.day(-3000, -30) if kind in ("customer", "former") else None,
            "owner_id": self.pick(users[:1] if n < self.organization.companies // 10 else users).id,
            "custom": {"source": self.pick(("web", "fair", "referral")), "score": self.random.randrange(101)}
            if self.chance(0.4)
            else None,
        }
        return self.of("company", n, data)

    def subsidiary(self, company: Row, groups: Sequence[Row]) -> Row:
        if not groups or not self.chance(0.15):
            return company
        return Row(
            company.table, company.id, company.data | {"parent_id": self.pick(groups).id}, company.tenant
        )

    def contacts(self, company: Row, users: Sequence[Row]) -> Iterator[Row]:
        for n in range(self.weighted((0, 1, 2, 3, 5), (5, 35, 35, 20, 5))):
            first, last = self.person()
            country = company.data["country"]
            address = f"{ascii_only(first)}.{ascii_only(last)}.{n}@{company.data['number']}.example".lower()
            data = {
                "company_id": company.id,
                "first_name": first,
                "last_name": last,
                "email": address if self.chance(0.9) else None,
                "phone": self.phone(country) if self.chance(0.6) else None,
                "position": self.pick(POSITIONS) if self.chance(0.85) else None,
                "birthday": self.day(-24_000, -8_000) if self.chance(0.2) else None,
                "languages": sorted({LANGUAGES[country], "en"} if self.chance(0.5) else {LANGUAGES[country]}),
                "newsletter": self.chance(0.3),
                "owner_id": company.data["owner_id"] if self.chance(0.8) else self.pick(users).id,
            }
            yield self.of("contact", f"{company.data['number']}/{n}", data)

    def deal(
        self,
        n: int,
        users: Sequence[Row],
        companies: Sequence[Row],
        contacts: Sequence[Row],
        stages: Sequence[Row],
    ) -> Row:
        contact = self.pick(contacts)
        company_id = contact.data["company_id"] if self.chance(0.8) else self.pick(companies).id
        stage = self.pick(stages)
        outcome = stage.data["outcome"]
        status = outcome if outcome != "open" else self.weighted(("open", "on_hold"), (85, 15))
        word, kind = self.pick(PRODUCT_WORDS), self.pick(PRODUCT_KINDS)[0]
        data = {
            "name": f"{word} {kind} for {self.random.randrange(1, 40)} sites",
            "number": f"D-{TODAY.year}-{n:05d}",
            "company_id": company_id,
            "contact_id": contact.id if contact.data["company_id"] == company_id else None,
            "stage_id": stage.id,
            "owner_id": self.pick(users).id,
            "currency_id": stable_id(
                "currency", CURRENCY_OF[self.organization.country] if self.chance(0.9) else "USD"
            ),
            "status": status,
            "amount": money(self.random.lognormvariate(8.6, 1.1)),
            "discount": self.pick(("2.50", "5.00", "10.00")) if self.chance(0.2) else None,
            "closes_on": self.day(5, 200) if outcome == "open" else None,
            "closed_at": self.moment(-700, -1) if outcome != "open" else None,
            "lost_reason": self.pick(LOST_REASONS) if outcome == "lost" else None,
            "labels": sorted(self.random.sample(("urgent", "public tender", "renewal", "bundle"), k=n % 3)),
            "settings": {"reminders": self.chance(0.5), "forecast": {"included": True}}
            if self.chance(0.3)
            else None,
        }
        return self.of("deal", n, data)

    def lines(self, deal: Row, products: Sequence[Row]) -> Iterator[Row]:
        for position in range(1, self.weighted((1, 2, 3, 4), (25, 35, 25, 15)) + 1):
            product = self.pick(products) if self.chance(0.9) else None
            data = {
                "deal_id": deal.id,
                "product_id": product.id if product else None,
                "position": position,
                "text": product.data["name"] if product else "Travel and accommodation",
                "quantity": f"{self.random.choice((1, 1, 1, 2, 3, 5, 7.5, 12)):.3f}",
                "unit_price": product.data["price"] if product else money(self.random.randrange(80, 900)),
            }
            yield self.of("deal_line", f"{deal.data['number']}/{position}", data)

    def activity(self, n: int, users: Sequence[Row], contacts: Sequence[Row], deals: Sequence[Row]) -> Row:
        kind = self.pick(tuple(SUBJECTS))
        done = self.chance(0.7)
        deal = self.pick(deals) if self.chance(0.6) else None
        contact = self.pick(contacts)
        data = {
            "kind": kind,
            "subject": self.pick(SUBJECTS[kind]),
            "priority": self.weighted(("low", "normal", "high"), (20, 60, 20)),
            "due_at": self.moment(-400, -1) if done else self.moment(-10, 60),
            "done_at": self.moment(-400, -1) if done else None,
            "minutes": self.random.randrange(5, 240, 5) if done and kind != "mail" else None,
            "company_id": (deal or contact).data["company_id"],
            "contact_id": deal.data["contact_id"] if deal else contact.id,
            "deal_id": deal.id if deal else None,
            "assignee_id": self.pick(users).id,
        }
        return self.of("activity", n, data)

    def follow_up(self, n: int, users: Sequence[Row], activities: Sequence[Row]) -> Row:
        before = self.pick(activities)
        data = before.data | {
            "subject": f"Follow up: {before.data['subject'].lower()}",
            "due_at": self.moment(1, 90),
            "done_at": None,
            "minutes": None,
            "assignee_id": self.pick(users).id,
            "parent_id": before.id,
        }
        return self.of("activity", f"follow-up/{n}", data)

    def note(self, n: int, users: Sequence[Row], companies: Sequence[Row], deals: Sequence[Row]) -> Row:
        deal = self.pick(deals) if self.chance(0.4) else None
        data = {
            "company_id": deal.data["company_id"] if deal else self.pick(companies).id,
            "deal_id": deal.id if deal else None,
            "author_id": self.pick(users).id,
            "body": f"{self.pick(NOTE_OPENINGS)} {self.pick(NOTE_ENDINGS)}",
            "pinned": self.chance(0.05),
        }
        return self.of("note", n, data)

    def person(self) -> tuple[str, str]:
        return self.pick(FIRST_NAMES), self.pick(LAST_NAMES)

    def phone(self, country: str) -> str:
        return (
            f"{DIALLING_CODES[country]} {self.random.randrange(20, 99)} {self.random.randrange(10**6, 10**7)}"
        )

    def day(self, first: int, last: int) -> str:
        return (TODAY.date() + dt.timedelta(days=self.random.randint(first, last))).isoformat()

    def moment(self, first: int, last: int) -> str:
        at = TODAY + dt.timedelta(
            days=self.random.randint(first, last), minutes=15 * self.random.randrange(36)
        )
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(choices)

    def weighted(self, choices: Sequence[Any], weights: Sequence[int]) -> Any:
        return self.random.choices(choices, weights)[0]


def stable_id(*key: object) -> str:
    """A UUID v7 that depends on the key alone: its time lies in the two years before TODAY."""
    bits = random.Random("/".join(map(str, key))).getrandbits(128)
    milliseconds = int(TODAY.timestamp() * 1000) - (bits >> 64) % (730 * 86_400_000)
    tail = bits & ((1 << 80) - 1)
    tail = tail & ~(0xF << 76) | 7 << 76
    tail = tail & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=milliseconds << 80 | tail))


def money(amount: float) -> str:
    return f"{amount:.2f}"


def ascii_only(name: str) -> str:
    """A name as it can stand in an e-mail address."""
    spelled = name.translate(str.maketrans("øØłŁ", "oOlL", "'")).replace("æ", "ae").replace("Æ", "Ae")
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


@dataclass(frozen=True)
class Target:
    """Where the rows go: a database of a project, and a key that may write its rows."""

    endpoint: str
    project: str
    key: str
    database: str

    def rows_of(self, tenant: str | None) -> TablesDB:
        """A client that acts in a tenant (one for each: the tenant is a header)."""
        client = Client().set_endpoint(self.endpoint).set_project(self.project).set_key(self.key)
        if tenant is not None:
            client.add_header("X-Tenant-Id", tenant)
        return TablesDB(client)


class Writer:
    """Writes rows over a few connections at a time, and tells how far it has come."""

    def __init__(self, target: Target, total: int, connections: int) -> None:
        self.target = target
        self.total = total
        self.connections = connections
        self.clients: dict[str | None, TablesDB] = {}
        self.written: Counter[str] = Counter()
        self.present: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.shown_at = 0.0

    def write(self, batches: Iterable[tuple[Row, ...]]) -> None:
        with ThreadPoolExecutor(self.connections) as pool:
            for batch in batches:
                for row in batch:
                    self.clients.setdefault(row.tenant, self.target.rows_of(row.tenant))
                try:
                    deque(pool.map(self.write_one, batch), maxlen=0)
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise

    def write_one(self, row: Row) -> None:
        counter = self.written
        try:
            self.clients[row.tenant].create_row(self.target.database, row.table, row.id, row.data)
        except AppwriteException as error:
            if error.type != "row_already_exists":
                raise SeedError(
                    f"{row.table} {row.id}: {error.message} ({error.type}, {error.code})"
                ) from error
            counter = self.present
        with self.lock:
            counter[row.table] += 1
            self.show(row.table)

    def show(self, table: str) -> None:
        now = time.monotonic()
        done = self.written.total() + self.present.total()
        is_last, is_terminal = done == self.total, sys.stderr.isatty()
        if not is_last and now - self.shown_at < (0.1 if is_terminal else 2):
            return
        self.shown_at = now
        end = "\r" if is_terminal and not is_last else "\n"
        print(f"{done:6,} of {self.total:,} rows  {table:<14}", end=end, file=sys.stderr, flush=True)


class SeedError(Exception):
    """A row was refused, or the settings are not complete."""


def target_of(options: argparse.Namespace) -> Target:
    """From the line that `freehold up --json` printed, or from the environment."""
    said: dict[str, str] = {}
    if options.json:
        text = sys.stdin.readline() if options.json == "-" else Path(options.json).read_text()
        try:
            said = json.loads(text)
        except ValueError as error:
            raise SeedError(
                f"{options.json} is not the JSON that `freehold up --json` prints: {error}"
            ) from error
    values = {
        name: said.get(name) or os.environ.get(f"FREEHOLD_{name.upper()}")
        for name in ("endpoint", "project", "key")
    }
    missing = [f"FREEHOLD_{name.upper()}" for name, value in values.items() if not value]
    if missing:
        raise SeedError(
            f"Set {', '.join(missing)}, or give --json with the line that `freehold up --json` printed."
        )
    return Target(**values, database=options.database)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--json", metavar="FILE", help="the output of `freehold up --json`; - reads standard input"
    )
    parser.add_argument("--database", default="acme-crm", help="the database's id (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=6, choices=range(1, 33), metavar="1..32")
    parser.add_argument("--dry-run", action="store_true", help="only count the rows")
    options = parser.parse_args()
    batches = list(rows())
    total = sum(map(len, batches))
    if options.dry_run:
        for table, count in Counter(row.table for batch in batches for row in batch).items():
            print(f"{count:6,}  {table}")
        print(f"{total:6,}  rows")
        return 0
    started = time.monotonic()
    try:
        writer = Writer(target_of(options), total, options.connections)
        writer.write(batches)
    except SeedError as error:
        print(f"seed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nseed: stopped. Run it again, and it goes on from here.", file=sys.stderr)
        return 130
    except requests.RequestException as error:
        print(f"seed: the server did not answer: {error}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    print(
        f"{writer.written.total():,} rows written, {writer.present.total():,} were there, in {seconds:.0f} s."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
