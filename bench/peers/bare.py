"""The bare loop as a peer: told to do what Freehold was just seen to do, and held to the same answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench import processes
from bench.dataset import LISTED_STATUS, PAGE
from bench.peers import Running, Setting, free_port, must, wait_until_answering
from bench.peers.bare_loop import Settings, Statement
from bench.peers.freehold import ROWS, Freehold, Site, list_path, workloads
from bench.statements import Seen, seen_while

CONNECTIONS = 16

CREATED = {
    "name": "Bare Loop",
    "email": "bare@loop.example",
    "city": "Loopstadt",
    "status": "draft",
    "amount": 31_415_926,
}
"""Values that are not met elsewhere, so that they can be found again among a statement's."""

SYSTEM_COLUMNS = {
    "_id": "$id",
    "_seq": "$sequence",
    "_created_at": "$createdAt",
    "_updated_at": "$updatedAt",
    "_permissions": "$permissions",
}


class Bare:
    name = "bare"

    def __init__(self, freehold: Freehold) -> None:
        self.freehold = freehold

    def install(self, setting: Setting) -> None:
        """It is a file beside this one."""

    def start(self, setting: Setting) -> Running:
        site, port = self.freehold.site, free_port()
        settings, log = setting.folder / "bare.json", setting.folder / "bare.log"
        with httpx.Client(base_url="http://{}:{}".format(*site.address), headers=site.headers) as client:
            settings.write_bytes(msgspec.json.encode(_settings(setting, site, client, port)))
        process = processes.start(
            [sys.executable, "-m", "bench.peers.bare_loop", str(settings)],
            core=setting.server_core,
            log=log,
            cwd=Path(__file__).resolve().parents[2],
        )
        try:
            wait_until_answering(f"http://127.0.0.1:{port}/v1/account", seconds=30, log=log)
            with (
                httpx.Client(base_url="http://{}:{}".format(*site.address), headers=site.headers) as freehold,
                httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=site.headers) as bare,
            ):
                _check(freehold, bare, setting)
        except BaseException:
            processes.stop(process)
            raise
        ours = workloads(site, setting.dataset)
        return Running(
            address=("127.0.0.1", port),
            root=process.pid,
            workloads=ours,
            about=(
                "uvicorn (uvloop, httptools), one ASGI function, asyncpg with prepared statements and a free"
                " list, msgspec; the requests, the statements and the answers are Freehold's, byte for"
                " byte; the session is a look into a dictionary"
            ),
            stop=lambda: processes.stop(process),
        )


def _settings(setting: Setting, site: Site, client: httpx.Client, port: int) -> Settings:
    """Watch Freehold do each thing once, and note what it asked PostgreSQL."""
    row, below = setting.dataset.asked[1], setting.dataset.below[1]
    answers: dict[str, httpx.Response] = {}

    def watch(name: str, method: str, path: str, body: Any = None) -> list[Seen]:
        def act() -> None:
            # Twice before, so that caches are filled: what is noted is what is done again and again.
            answers[name] = client.request(method, path, json=body)

        act()
        act()
        seen = seen_while(setting.postgres, act)
        must(answers[name].is_success, f"bare: freehold's {name} failed: {answers[name].text}")
        return seen

    session = watch("session", "GET", "/v1/account")
    got = watch("get", "GET", f"{ROWS}/{row.id}")
    listed = watch("list", "GET", list_path(below))
    created = watch("create", "POST", ROWS, {"rowId": "unique()", "data": CREATED})
    # Beside the API worker, the job worker may have asked something: its sessions never touch the table.
    workers = {seen.session for seen in (*got, *listed, *created) if site.table in seen.sql}
    session, got, listed, created = (
        [seen for seen in statements if seen.session in workers and not _is_settling(seen)]
        for statements in (session, got, listed, created)
    )
    made = answers["create"].json()
    read = answers["get"].json()
    in_get, in_list, in_create = (
        next(seen.sql for seen in statements if site.table in seen.sql)
        for statements in (got, listed, created)
    )
    names = {"get": _names(in_get), "list": _names(in_list), "create": _names(in_create)}
    constants = {name: value for name, value in read.items() if name not in names["get"]}
    return Settings(
        dsn=setting.postgres.dsn(),
        port=port,
        connections=CONNECTIONS,
        rows=ROWS,
        sessions={site.cookie: answers["session"].json()},
        plans={
            "session": [_statement(seen, {}) for seen in session],
            "get": [_statement(seen, {row.id: "id"}) for seen in got],
            "list": [
                _statement(seen, {LISTED_STATUS: "status", str(below): "amount", str(PAGE): "limit"})
                for seen in listed
            ],
            "create": [
                _statement(seen, {made["$id"]: "id", **{str(value): name for name, value in CREATED.items()}})
                for seen in created
            ],
        },
        names=names,
        constants=constants,
    )


def _is_settling(seen: Seen) -> bool:
    """Whether it is what the worker writes down every few seconds, of all that it has counted by then."""
    return any(f"insert into freehold.{table} " in seen.sql for table in ("usage", "traffic"))


def _names(sql: str) -> list[str]:
    """The wire names of what a statement gives, from its list of columns."""
    found = re.search(r"\breturning ([^()]*)|\bselect ([^()]*?) from ", sql)
    must(found is not None, f"bare: no list of columns in {sql}")
    assert found is not None
    columns = [column.strip().strip('"') for column in (found[1] or found[2]).split(",")]
    return [SYSTEM_COLUMNS.get(column, column) for column in columns]


def _statement(seen: Seen, sources: dict[str, str]) -> Statement:
    """What is the request's among the values gets its name; the rest stays as it was."""
    names = [sources.get(value or "", "") for value in seen.values]
    constants = [None if name else value for name, value in zip(names, seen.values, strict=True)]
    return Statement(sql=seen.sql, values=names, constants=constants)


def _check(freehold: httpx.Client, bare: httpx.Client, setting: Setting) -> None:
    """The same bytes for the same requests, and rows that were really made."""
    paths: Sequence[str] = (
        "/v1/account",
        *(f"{ROWS}/{row.id}" for row in setting.dataset.asked[:3]),
        *(list_path(below) for below in setting.dataset.below[:3]),
    )
    for path in paths:
        ours, theirs = bare.get(path), freehold.get(path)
        must(
            ours.content == theirs.content,
            f"bare: {path} gives\n{ours.text[:600]}\nand freehold gives\n{theirs.text[:600]}",
        )
    must(bare.get(f"{ROWS}/{setting.dataset.foreign.id}").status_code == 404, "bare: shows a hidden row")
    body = {"rowId": "unique()", "data": CREATED}
    ours_made, theirs_made = bare.post(ROWS, json=body), freehold.post(ROWS, json=body)
    must(ours_made.status_code == 201, f"bare: makes no row: {ours_made.text}")
    ours_body, theirs_body = ours_made.json(), theirs_made.json()
    must(list(ours_body) == list(theirs_body), "bare: a made row has other keys")
    same = [name for name in ours_body if name not in ("$id", "$sequence", "$createdAt", "$updatedAt")]
    must(all(ours_body[name] == theirs_body[name] for name in same), "bare: a made row has other values")
    again = freehold.get(f"{ROWS}/{ours_body['$id']}")
    must(again.status_code == 200 and again.json() == ours_body, "bare: a made row cannot be read")
