"""What attackers send, by the numbers of their cases: refused in words of the contract."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest

from .everybody import POLICIES
from .resources import BY_NAME
from .samples import new_id
from .world import Caller, Response, World

JSON = {"Content-Type": "application/json"}
HOSTILE = (
    'x"; drop table person; --',
    "full_name->>'a'",
    "full_name'--",
    "a.b.c",
    "\u201cname\u201d",
    "{{7*7}}",
    "__proto__",
)
LEAKS = ("traceback", "asyncpg", "node_modules", "pgx", "goroutine", "constraint", "syntax error", "select ")


@pytest.fixture(scope="module")
def tenant(world: World) -> str:
    return str(world.tenant())


@pytest.fixture(scope="module")
def boss(world: World, tenant: str) -> Caller:
    """Somebody who may do much."""
    return world.caller("boss", tenant)


def check_refused(answer: Response, *statuses: int) -> None:
    """It is a refusal in the words of the contract, and tells nothing of what is behind it."""
    assert answer.status_code in (statuses or (400, 422)), (answer.status_code, answer.text[:500])
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    words = json.dumps({key: answer.json()[key] for key in ("title", "detail")}).lower()
    assert not [leak for leak in LEAKS if leak in words]


def specimen(**changes: Any) -> dict[str, Any]:
    return BY_NAME["specimen"].sample() | changes


def test_s03_nothing_that_a_caller_names_is_fetched(world: World, tenant: str, boss: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        claims = {"iss": "dev", "exp": int(time.time()) + 60, "roles": ["boss"], "tenant_id": tenant}
        headers = {"jku": url, "x5u": url, "kid": url}
        forged = jwt.encode(claims, "another-secret-" * 3, algorithm="HS256", headers=headers)
        answer = world.service.send("GET", "/v1/people", headers={"Authorization": f"Bearer {forged}"})
        made = boss.post("/v1/specimens", json=specimen(a_url=url))

        assert (answer.status_code, made.status_code) == (401, 201), made.text
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_s04_an_address_of_any_kind_is_a_text_that_nobody_fetches(boss: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        for scheme in ("gopher", "ftp", "dict", "ldap", "file"):
            url = f"{scheme}://127.0.0.1:{port}/x"
            assert boss.post("/v1/specimens", json=specimen(a_url=url)).json()["a_url"] == url
        with pytest.raises(BlockingIOError):
            listener.accept()
    for url in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "http:a.example",
        "http://",
        "http://a b.example/",
        "x",
        "",
        "http://a.example/\n",
        " http://a.example/",
        "http://a.example/\tx",
    ):
        refused = boss.post("/v1/specimens", json=specimen(a_url=url))
        check_refused(refused, 422)
        assert refused.json()["errors"][0]["pointer"] == "/a_url", url


def test_s12_names_are_names_of_the_schema(world: World, boss: Caller) -> None:
    for name in HOSTILE:
        for query in (
            {name: "x"},
            {f"{name}.in": "x"},
            {f"full_name.{name}": "x"},
            {"sort": name},
            {"sort": f"-{name}"},
            {"include": name},
            {"include": f"boss.{name}"},
            {"count": name},
            {"deleted": name},
            {"cursor": name},
            {"limit": name},
            {"offset": name},
        ):
            check_refused(boss.get("/v1/people", params=query), 400)
        sent = {"email": "a@example.com", "full_name": "x", name: 1}
        for answer in (
            boss.post("/v1/people", json=sent),
            boss.post("/v1/people/batch", json={"items": [sent]}),
            boss.post("/v1/people/batch-update", json={"items": [{"id": str(new_id()), name: 1}]}),
        ):
            check_refused(answer, 422)
            assert answer.json()["errors"][0]["code"] == "unknown_field"
    assert world.sql('select count(*) from "user"')


ODD_SHAPES: tuple[Any, ...] = (None, True, 0, "x", [], [[]], [None], {"$ne": None})


def test_s13_what_should_be_a_list_or_a_text_is_one(boss: Caller, world: World, tenant: str) -> None:
    row = world.row(BY_NAME["person"], tenant)
    path = f"/v1/people/{row['id']}"
    for odd in ODD_SHAPES:
        if not isinstance(odd, dict):
            check_refused(boss.post("/v1/people", json=odd), 422)
            check_refused(boss.patch(path, json=odd), 422)
            check_refused(boss.post("/v1/people/batch", json=odd), 422)
        check_refused(boss.patch(path, json={"full_name": odd} if odd != "x" else {"full_name": "\0"}), 422)
        for items in ({"items": odd}, {"items": [odd]}, {"items": [{"id": row["id"]}], "more": odd}):
            check_refused(boss.post("/v1/people/batch-update", json=items), 422)
            check_refused(boss.post("/v1/people/batch", json=items), 422)
        for ids in ({"ids": odd}, {"ids": [odd]}, {"ids": [row["id"]], "more": odd}):
            check_refused(boss.post("/v1/people/batch-delete", json=ids), 422)
        version = {"items": [{"id": row["id"], "version": odd}]}
        if odd is not None:
            check_refused(boss.post("/v1/people/batch-update", json=version), 412, 422)
        conflict = {"items": [{"email": "b@example.com", "full_name": "x"}], "on_conflict": odd}
        check_refused(boss.post("/v1/people/batch", json=conflict), 422)
    for query in (
        "full_name[$ne]=x",
        "full_name[]=x",
        "full_name[in]=x",
        "id.in[]=x",
        "full_name=a&full_name=b",
    ):
        check_refused(boss.get(f"/v1/people?{query}"), 400)
    assert boss.get(path).json()["version"] == 1


SET_BY_THE_SERVICE = (
    "id",
    "tenant_id",
    "created_at",
    "updated_at",
    "version",
    "deleted_at",
    "created_by",
    "search",
)


def test_s14_what_the_service_sets_nobody_else_sets(world: World, tenant: str, boss: Caller) -> None:
    row = world.row(BY_NAME["project"], tenant)
    before = boss.get(f"/v1/projects/{row['id']}").json()
    for key in SET_BY_THE_SERVICE:
        sent = {"name": "x", "number": row["number"], key: str(new_id())}
        answers = [
            boss.post("/v1/projects", json=sent),
            boss.patch(f"/v1/projects/{row['id']}", json={key: str(new_id())}),
            boss.post("/v1/projects/batch", json={"items": [sent]}),
            boss.post("/v1/projects/batch", json={"items": [sent], "on_conflict": "update"}),
        ]
        if key not in ("id", "version"):
            item = {"id": row["id"], key: str(new_id())}
            answers.append(boss.post("/v1/projects/batch-update", json={"items": [item]}))
        for answer in answers:
            check_refused(answer, 422)
    assert boss.get(f"/v1/projects/{row['id']}").json() == before


def test_s15_what_has_to_be_there_is_not_emptied(world: World, tenant: str, boss: Caller) -> None:
    row = world.row(BY_NAME["specimen"], tenant)
    path = f"/v1/specimens/{row['id']}"
    caller = world.caller("boss", tenant)
    before = caller.get(path).json()
    nullable = {"a_date", "a_datetime", "an_email", "a_line"}
    for key, value in BY_NAME["specimen"].sample().items():
        if key in nullable:
            continue
        check_refused(caller.patch(path, json={key: None}), 422)
        if not isinstance(value, (str, bool)):
            check_refused(caller.patch(path, json={key: False}), 422)
        if not isinstance(value, str):
            check_refused(caller.patch(path, json={key: ""}), 422)
    assert caller.get(path).json() == before


def test_s17_a_value_of_another_tenant_is_free(world: World, tenant: str, boss: Caller) -> None:
    theirs = world.tenant()
    for name, key in (("person", "email"), ("tag", "name"), ("permit", "number")):
        resource = BY_NAME[name]
        taken, foreign = world.row(resource, tenant), world.row(resource, theirs)
        refused = boss.post(resource.path, json=resource.sample() | {key: taken[key]})
        check_refused(refused, 409)
        assert [each["pointer"] for each in refused.json()["errors"]] == [f"/{key}"]
        assert boss.post(resource.path, json=resource.sample() | {key: foreign[key]}).status_code == 201


def test_s25_what_costs_much_is_refused(world: World, tenant: str, boss: Caller) -> None:
    headers = {"Authorization": f"Bearer {world.service.sign('boss', tenant, '')}"}
    long = "x" * 50_000
    for query in (
        {"limit": "1000000000"},
        {"offset": "1000000000"},
        {"offset": "10001"},
        {"q": long},
        {"q": "a " * 2_000},
        {"include": ["boss"] * 1_000},
        {"sort": ["full_name"] * 1_000},
        {"cursor": long},
        {"id.in": ["x"] * 5_000},
        {"full_name.in": ["x"] * 101},
        {"id.in": ",".join([str(new_id())] * 101)},
    ):
        refused = world.service.send("GET", "/v1/people", params=query, headers=headers)
        assert refused.status_code in (400, 414, 431), (list(query), refused.status_code)
    item = {"email": "a@example.com", "full_name": "x"}
    check_refused(boss.post("/v1/people/batch", json={"items": [item] * 501}), 422)
    check_refused(boss.post("/v1/people/batch-delete", json={"ids": [str(new_id())] * 501}), 422)
    for depth in (10_000, 100_000):
        deep = b'{"full_name": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
        check_refused(boss.post("/v1/people", content=deep, headers=JSON), 400, 413, 422)
    assert boss.get("/v1/people").status_code == 200


def part(told: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def forged(tenant: str, good: str) -> Iterator[str]:
    now = int(time.time())
    claims: dict[str, Any] = {"iss": "dev", "exp": now + 600, "roles": ["boss"], "tenant_id": tenant}
    secret = "another-secret-" * 3
    head, body, signature = good.split(".")
    yield f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}."
    yield f"{part({'alg': 'None'})}.{body}.{signature}"
    yield f"{part({'alg': 'HS256', 'kid': '../../dev/null'})}.{body}.{signature}"
    yield f"{head}.{part(claims | {'roles': ['boss']})}.{signature}"
    yield f"{head}.{body}."
    yield f"{head}.{body}"
    yield jwt.encode(claims, secret, algorithm="HS256")
    yield "a.b.c"
    yield "x" * 8_000


def test_s26_a_forged_token_is_refused(world: World, tenant: str) -> None:
    good = world.service.sign("boss", tenant, "")
    assert (
        world.service.send("GET", "/v1/people", headers={"Authorization": f"Bearer {good}"}).status_code
        == 200
    )
    for token in forged(tenant, good):
        check_refused(
            world.service.send("GET", "/v1/people", headers={"Authorization": f"Bearer {token}"}), 401
        )
    for header in ("Bearer", f"Basic {good}", good, f"Bearer {good} {good}", f"Bearer {good},"):
        check_refused(world.service.send("GET", "/v1/people", headers={"Authorization": header}), 400, 401)
    elsewhere: tuple[dict[str, Any], ...] = (
        {"headers": {"Cookie": f"token={good}; Authorization=Bearer {good}"}},
        {"headers": {"X-Forwarded-Authorization": f"Bearer {good}", "X-User": "boss", "X-Tenant-Id": tenant}},
    )
    for options in elsewhere:
        check_refused(world.service.send("GET", "/v1/people", **options), 401)
    check_refused(world.service.send("GET", "/v1/people", params={"access_token": good}), 400, 401)


def test_s40_one_row_has_one_id(world: World, tenant: str, boss: Caller) -> None:
    person = world.row(BY_NAME["person"], tenant)["id"]
    line = world.row(BY_NAME["ledger_line"], tenant)["id"]
    badge = world.row(BY_NAME["badge"], tenant)["id"]
    uuids = [
        f"{{{person}}}",
        f"urn:uuid:{person}",
        person.replace("-", ""),
        f"{person} ",
        f" {person}",
        f"{person}\n",
        "me",
        "any",
        "null",
        "batch",
        "*",
        f"{person}'--",
        "1",
        "undefined",
        "%",
    ]
    numbers = [
        f"+{line}",
        f"{line}.0",
        f"{line}_0",
        f" {line}",
        f"{line} ",
        f"{line}e0",
        hex(line),
        "-1",
        str(2**63),
        str(2**31),
        "\uff11",
        "true",
        "null",
        "NaN",
    ]
    texts = [
        f"{badge} ",
        f" {badge}",
        badge.upper() + "X",
        "..",
        "../people",
        "any",
        "'",
        f"{badge}/",
        "a/b",
        "\u202e",
    ]
    for address in (
        "/v1/people/",
        "/v1//people",
        "/V1/people",
        "/v1/People",
        "/v1/people;a=b",
    ):
        assert boss.get(address).status_code in (400, 404), address
    for path, ids in (("people", uuids), ("ledger-lines", numbers), ("badges", texts)):
        for id_ in ids:
            answer = boss.get(f"/v1/{path}/{quote(id_, safe='')}")
            assert answer.status_code in (400, 404), (path, id_, answer.status_code, answer.text)
            if path != "badges":
                listed = boss.get(f"/v1/{path}", params={"id.in": id_})
                assert listed.status_code == 400 or listed.json()["data"] == [], (path, id_)


def test_s41_no_operation_answers_nobody_or_another_tenant(world: World, tenant: str) -> None:
    theirs = world.tenant()
    strangers = (
        Caller(world.service, "public"),
        Caller(world.service, "boss", theirs),
        Caller(world.service, "service", theirs),
    )
    by_path = {resource.path: resource for resource in BY_NAME.values()}
    tried = 0
    for template, operations in world.service.openapi["paths"].items():
        root = "/".join(template.split("/")[:3])
        resource = by_path[root]
        if resource.tenant == "none":
            assert {each.tenant for each in POLICIES.entities.values() if each.name == resource.name} == {
                "none"
            }
            continue
        if resource.read_only:
            row_id: Any = 1
        else:
            row_id = tenant if resource.tenant == "self" else world.row(resource, tenant)["id"]
        path = "/".join(
            str(row_id) if part == "{id}" else str(new_id()) if "{" in part else part
            for part in template.split("/")
        )
        for method in operations.keys() - {"parameters"}:
            for who in strangers:
                new = {} if resource.read_only else world.body(resource, who.tenant or tenant, who.role)
                bodies = {
                    "batch": {"items": [new]},
                    "batch-update": {"items": [{"id": row_id}]},
                    "batch-delete": {"ids": [row_id]},
                    "restore": None,
                }
                body = bodies.get(template.rpartition("/")[2], {} if "{" in template else new)
                options = {"json": body} if method in ("post", "patch") and body is not None else {}
                answer = who.request(method.upper(), path, **options)
                tried += 1
                if who.role == "public":
                    check_refused(answer, 401)
                elif answer.status_code == 200:
                    shown = [row["id"] for row in answer.json()["data"]]
                    assert row_id not in shown, template
                else:
                    own = answer.status_code == 201 and "{" not in template
                    assert own or answer.status_code in (403, 404), (method, template, answer.text)
    assert tried > 300


def test_s51_what_callers_say_is_not_told_to_others(world: World, tenant: str, boss: Caller) -> None:
    """The log of the service is read when the suite is done."""
    text = "only-in-a-body"
    person = {"email": f"{text}@example.com", "full_name": text}
    assert boss.post("/v1/people", json=person).status_code in (201, 409)
    check_refused(boss.post("/v1/people", json=person), 409)
    check_refused(boss.post("/v1/people", json=person | {"rate": text}), 422)
    check_refused(boss.post("/v1/people", content=f'{{"{text}": ', headers=JSON), 400)
    assert boss.get("/v1/people", params={"full_name": text}).status_code == 200
    for headers in (
        {"Authorization": f"Bearer {text}"},
        {"X-API-Key": text},
        {"Authorization": f"Basic {text}"},
    ):
        refused = world.service.send("GET", "/v1/people", headers=headers | {"Cookie": f"a={text}"})
        check_refused(refused, 401)
        assert text not in refused.text


def test_s52_a_template_is_a_text(boss: Caller) -> None:
    for text in (
        "{{7*7}}",
        "${7*7}",
        "#{7*7}",
        "{0.__class__}",
        "%s%n%d",
        "<%= 7*7 %>",
        "$(id)",
        "`id`",
        "%{7*7}",
        "{7}",
    ):
        made = boss.post("/v1/bare-bones", json={"label": text})
        assert made.json()["label"] == text
        refused = boss.get("/v1/bare-bones", params={text: "x"})
        assert refused.json()["errors"][0]["parameter"] == text
        assert "49" not in refused.text.replace(refused.json()["request_id"], "")


def test_s53_no_text_becomes_a_header(world: World, tenant: str, boss: Caller) -> None:
    text = "a\r\nX-Evil: 1\r\n"
    for _ in range(2):
        assert boss.post("/v1/bare-bones", json={"label": text}).status_code == 201
    page = boss.get("/v1/bare-bones", params={"label": text, "limit": 1})
    link = page.headers["Link"]
    (address,) = [part.strip().strip("<>") for part in link.split(";")[:1]]

    assert "X-Evil" not in page.headers
    assert parse_qs(urlsplit(address).query)["label"] == [text]
    for path in (
        f"/v1/people/{quote(text, safe='')}",
        f"/v1/{quote(text, safe='')}",
        f"/v1/bare-bones?{quote(text, safe='')}=1",
    ):
        refused = boss.get(path)
        check_refused(refused, 400, 404)
        assert "X-Evil" not in refused.headers
    for given in ("<script>", "a b c d e f g", "x" * 65, "short", "a,b;c=d\te"):
        answered = boss.get("/v1/bare-bones", headers={"X-Request-Id": given}).headers["X-Request-Id"]
        assert answered != given
    table = boss.get("/v1/bare-bones", params={"label": text}, headers={"Accept": "text/csv"})
    assert "X-Evil" not in table.headers
    assert table.headers["Content-Disposition"] == 'attachment; filename="bare-bones.csv"'


def test_s54_odd_json_is_refused_or_kept_as_it_is(world: World, tenant: str, boss: Caller) -> None:
    kept: dict[str, Any] = {
        "__proto__": {"polluted": True},
        "constructor": {"prototype": {"x": 1}},
        "__class__": "x",
        "": [None],
    }
    made = boss.post("/v1/specimens", content=json.dumps(specimen(a_json=kept)), headers=JSON)
    assert made.status_code == 201, made.text
    assert boss.get(made.headers["Location"]).json()["a_json"] == kept
    for raw in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1.",
        "01",
        "+1",
        "'x'",
        "0x1",
        "1e",
        "[1,]",
        "undefined",
        '"\\x41"',
        '"\t"',
    ):
        content = json.dumps(specimen()).replace('"an_int": ', f'"a_json": {raw}, "an_int": ')
        check_refused(boss.post("/v1/specimens", content=content, headers=JSON), 400)
    for key, raw in (
        ("an_int", str(2**63)),
        ("an_int", "1e400"),
        ("a_bigint", str(2**53)),
        ("a_bigint", "-1e300"),
        ("a_float", "1e400"),
        ("a_string", '"\\u0000"'),
        ("a_string", '"\\ud800"'),
        ("a_json", '{"a": "\\u0000"}'),
        ("an_int", "1.5"),
    ):
        content = json.dumps(specimen() | {key: "HERE"}).replace('"HERE"', raw)
        check_refused(boss.post("/v1/specimens", content=content, headers=JSON), 400, 422)
    assert boss.get("/v1/specimens").status_code == 200


def test_s54_a_key_that_comes_twice_evades_no_guard(world: World, tenant: str) -> None:
    lead = world.caller("lead", tenant)
    for body in (
        '{"label": "a", "secret": "x", "label": "b"}',
        '{"secret": "x", "label": "a", "secret": "y"}',
    ):
        check_refused(lead.post("/v1/vault-entries", content=body, headers=JSON), 403, 422, 400)
    for twice in ('{"label": "a", "label": "b"}', '{"label": 1, "label": "b"}'):
        answer = lead.post("/v1/vault-entries", content=twice, headers=JSON)
        assert answer.status_code in (201, 400, 422), answer.text
        if answer.status_code == 201:
            assert answer.json()["label"] == "b"
