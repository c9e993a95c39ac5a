"""Mistakes in a schema: all are told at once, each in its place and with how to mend it."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.schema.texts import FRAME, only_problem, problems, with_fields


def test_a_key_that_is_there_twice_is_told_with_both_lines() -> None:
    found = next(each for each in problems("freehold: 1\nservice: a\nservice: b\n") if each.path == "service")

    assert (found.line, found.column, found.hint) == (3, 1, "the first is in line 2")


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = with_fields(
        "a: strng(2)", "b: { type: int, mni: 3 }", "owner: ref(tga)", "c: { type: enum(x, y), default: z }"
    )
    found = problems(text)

    assert [(each.path.removeprefix("entities.task.fields."), each.line) for each in found] == [
        ("a", 12),
        ("b.mni", 13),
        ("owner", 14),
        ("c.default", 15),
    ]
    assert [each.hint for each in found][:3] == [
        "did you mean `string`?",
        "did you mean `min`?",
        "did you mean `tag`?",
    ]
    assert all(each.column > 1 for each in found)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("a: strng(2)", "`strng` is not a type", "did you mean `string`?"),
        ("a: varchar(20)", "`varchar` is not a type", "write `string(n)`"),
        ("a: string", "needs parameters", "string(120)"),
        ("a: string(0)", "is not a length", "from 1"),
        ("a: decimal(5)", "does not say its digits", "decimal(12,2)"),
        ("a: decimal(2,5)", "does not say its digits", "decimal(12,2)"),
        ("a: int(4)", "takes no parameters", "write `int`"),
        ("a: json[]", "no arrays of `json`", "may be an array"),
        ("a: ref(tag)[]", "no arrays of `ref`", "many(entity)"),
        ("a: ref(tga)", "no entity `tga`", "did you mean `tag`?"),
        ("a: many(tga)", "no entity `tga`", "did you mean `tag`?"),
        ("a: enum(x, x)", "has `x` twice", "leave one out"),
        ("a: enum(x-y, x_y)", "would both be called `X_Y`", "change one"),
        ("a: enum()", "cannot be read", "commas"),
        ("a: enum(x,,y)", "is empty", "nullable"),
        ("a: [int]", "is not a map", "a type such as"),
        ("a: { nullable: true }", "has no `type:`", "such as"),
        ("a: { type: 5 }", "is not a text", "a type such as"),
        ("a: { type: int, nulable: true }", "`nulable` is not known here", "did you mean `nullable`?"),
        ("a: { type: int, nullable: maybe }", "is not `true` or `false`", ""),
        ("a: { type: int, default: x }", "is not a number", ""),
        ("a: { type: int, default: 1.5 }", "is not a whole number", ""),
        ("a: { type: int, default: 3000000000 }", "is beyond int", "from -2147483648"),
        ("a: { type: bool, default: 1 }", "is not `true` or `false`", ""),
        ("a: { type: string(3), default: long }", "is longer than 3", ""),
        ("a: { type: string(3), default: 5 }", "is not a text", "quotes"),
        ("a: { type: enum(x, y), default: z }", "is not a member", "known: `x`, `y`"),
        ("a: { type: decimal(4,2), default: 123.4 }", "too many digits", "at most 2 before"),
        ("a: { type: date, default: 2026-13-01 }", "is not a date", "2026-12-31"),
        ("a: { type: time, default: noon }", "is not a time of day", "14:30:00"),
        ("a: { type: datetime, default: 2026-01-01T10:00:00 }", "is not a moment", "zone"),
        ("a: { type: uuid, default: x }", "is not a UUID", ""),
        ("a: { type: bytes, default: '*' }", "is not base64", ""),
        ("a: { type: email, default: x }", "is not an e-mail address", ""),
        ("a: { type: url, default: x }", "is not a URL", "scheme"),
        ("a: { type: ip, default: x }", "is not an IP address", ""),
        ("a: { type: point, default: [1] }", "is not a point", "longitude first"),
        ("a: { type: polygon, default: [[[0, 0], [1, 1]]] }", "is not a polygon", "longitude first"),
        ("a: { type: int[], default: 5 }", "is not a list", "[]"),
        ("a: { type: int[], default: [x] }", "is not a number", ""),
        ("a: { type: ref(tag), default: x }", "only default of a relation", "default: me"),
        ("a: { type: int, default: 5, max: 3 }", "is above `max: 3`", ""),
        ("a: { type: string(9), default: AB, pattern: '^[a-z]+$' }", "does not fit", ""),
        ("a: { type: int, min: 5, max: 3 }", "is above `max: 3`", "exchange"),
        ("a: { type: string(5), max: 9 }", "is beyond string(5)", "at most 5"),
        ("a: { type: string(5), min: -1 }", "not a number of characters", ""),
        ("a: { type: date, min: 2026-01-01 }", "cannot have `min:`", "leave it out"),
        ("a: { type: string(5), pattern: '[' }", "is not a regular expression", ""),
        ("a: { type: string(5), pattern: '\\d+' }", "not mean the same", "[0-9]"),
        ("a: { type: string(5), pattern: '(?=x)' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(?!x)' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(?<=x)y' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(a|b)\\1' }", "not mean the same", "what it stands for"),
        ("a: { type: string(5), pattern: '((a{40}b){30})' }", "may multiply to 1000", "one place"),
        ("a: { type: string(5), pattern: 'a+?' }", "not known to every language", ""),
        ("a: { type: text, unique: true }", "cannot have `unique:`", "string(n)"),
        ("a: { type: json, index: true }", "cannot have `index:`", ""),
        ("a: { type: int, unique: yes }", "is not `true`, `false` or `global`", "per tenant"),
        ("a: { type: int, search: true }", "cannot have `search:`", ""),
        ("a: { type: int, on_delete: cascade }", "cannot have `on_delete:`", ""),
        ("a: { type: many(tag), nullable: true }", "cannot have `nullable:`", ""),
        ("a: { type: string(2000), index: true }", "8000 bytes", "shorten"),
        ("a: { type: int, natural_key: true }", "must be unique", "unique: true"),
        ("a: { type: ref(tag), on_delete: set_null }", "needs a field that may be null", "nullable: true"),
        ("a: { type: ref(tag), on_delete: nullify }", "`nullify` is not known", "known: `cascade`"),
        ("a: { type: ref(tag), owned: true }", "goes with its owner", "on_delete: cascade"),
        ("a: { type: ref(tag), inverse: Tasks }", "cannot name a relation", "`tasks`"),
        ("a: { type: ref(tag), inverse: name }", "has a field `name` already", "something else"),
        ("a: { type: int, read: memer }", "no role `memer`", "did you mean `member`?"),
        ("a: { type: int, column: xmin }", "cannot name anything in PostgreSQL", ""),
        ("a: { type: int, column: 'a\"; drop table x; --' }", "not safe in a name", ""),
        ("a: { type: int, column: 'first name' }", "not safe in a name", "`first_name`"),
        ("a: { type: int, column: größe }", "not safe in a name", "letters, digits"),
        ("a: { type: many(tag), on_delete: set_null }", "there or not", "`restrict` keeps rows"),
        ("a: { type: int, column: id }", "is there already", "column:"),
        ("a: { type: int, was: [b] }", "is not a text", "name that it had"),
        ("A: int", "cannot name a field", "`a`"),
        ("firstName: int", "cannot name a field", "`first_name`"),
        ("class: string(5)", "is a word of Python", "`class_value`"),
        ("constructor: string(5)", "in TypeScript", "constructor_value"),
        ("id: int", "every table may have", ""),
        ("tenant_id: int", "every table may have", ""),
        ("tag_id: ref(tag)", "names a relation, not its key", "call it `tag`"),
        ("limit: int", "has a meaning in every list", "filter: false"),
        ("task: ref(task)", "nobody could write the first row", "nullable: true"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_field_is_told_with_how_to_mend_it(line: str, message: str, hint: str) -> None:
    found = only_problem(with_fields(line))

    assert message in found.message
    assert hint in found.hint
    assert found.line == 12
    assert found.path.startswith("entities.task.fields.")


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"tenant": ""}, "does not say its `tenant:`", "there is no default"),
        ({"tenant": "scopd"}, "`scopd` is not known", "did you mean `scoped`?"),
        ({"tenant": "self"}, "but the tenant is `org`", "scoped"),
        ({"acess": "{}"}, "`acess` is not known here", "did you mean `access`?"),
        ({"access": "{ raed: member }"}, "`raed` is not known here", "did you mean `read`?"),
        ({"access": "{ read: memer }"}, "no role `memer`", "did you mean `member`?"),
        ({"access": "{ read: [{ where: a = 1 }] }"}, "does not say whose `role:`", "role: member"),
        ({"access": "{ read: { role: member, where: b = me } }"}, "has no field `b`", "known"),
        ({"access": "{ read: { role: member, where: a = me } }"}, "`me` is an id", "owner = me"),
        ({"access": "{ read: { role: member, where: tenant_id = tenant } }"}, "the caller's own tenant", "leave"),
        ({"access": "{ read: { role: member, where: a = x } }"}, "is not a number", ""),
        ({"access": "{ read: { role: member, where: a = 1 or a = 2 } }"}, "`or` is not expected", "access line of its own"),
        ({"access": "{ read: { role: member, where: a > 1 } }"}, "is not a condition", "conditions are"),
        ({"access": "{ read: { role: member, where: 'a in (1,' } }"}, "the list is not closed", "field in (a, b)"),
        ({"access": "{ read: { role: member, where: member_of(team) } }"}, "no relation `team`", ""),
        ({"index": "[a]"}, "is not a list", "index: [[status"),
        ({"index": "[[b]]"}, "no column field `b`", "known"),
        ({"index": "[[a, a]]"}, "is named twice", "leave one out"),
        ({"unique": "[[-a]]"}, "uniqueness has none", "write `a`"),
        ({"plural": "Tasks"}, "cannot be a plural", "`tasks`"),
        ({"plural": "tags"}, "has the plural `tags` too", "plural:"),
        ({"table": "pg_x"}, "cannot name anything in PostgreSQL", ""),
        ({"table": "tag"}, "would be called `tag`", "table:"),
        ({"id": "guid"}, "`guid` is not known", ""),
        ({"audit": "sometimes"}, "is not `true` or `false`", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_an_entity_is_told_with_how_to_mend_it(
    keys: dict[str, str], message: str, hint: str
) -> None:
    found = problems(with_fields("a: int", **keys))[0]

    assert message in found.message
    assert hint in found.hint
    assert found.path.startswith("entities.task")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("service: a\nentities: {}\n", "does not say its language", "freehold: 1"),
        ("freehold: 2\nservice: a\n", "language `2` is not known", "freehold: 1"),
        ("freehold: 1\n", "has no `service:`", "acme-crm"),
        ("freehold: 1\nservice: Acme CRM\n", "cannot name a repository", "`acme-crm`"),
        ("freehold: 1\nservice: ../x\n", "cannot name a repository", "`x`"),
        ("freehold: 1\nservice: a\nentites: {}\n", "`entites` is not known", "did you mean `entities`?"),
        ("freehold: 1\nservice: a\ntenancy: { entity: org }\n", "no entity `org`", ""),
        ("freehold: 1\nservice: a\ntenancy: { isolation: rls }\n", "does not say which entity", "entity:"),
        ("freehold: 1\nservice: a\nauth: { provider: auth1 }\n", "`auth1` is not known", "did you mean `auth0`?"),
        ("freehold: 1\nservice: a\nauth: { tenant: memberhip }\nentities: { membership: { tenant: none, fields: { a: int } } }\n", "no entity `memberhip`", "did you mean `membership`?"),
        ("freehold: 1\nservice: a\nauth: { tenant: member }\nentities: { member: { tenant: none, fields: { a: int } } }\n", "is not `tenant: scoped`", "entities.member"),
        ("freehold: 1\nservice: a\nauth: { tenant: [member] }\n", "is not a text", ""),
        ("freehold: 1\nservice: a\nauth: { session: true }\n", "is not a map", "session: { table:"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, cooky: c } }\n", "`cooky` is not known", "did you mean `cookie`?"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, expires: e } }\n", "does not say `user`", "`user_id`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: a.b.c, token_column: t, user: u, expires: e } }\n", "`a.b.c` cannot name one", "`login.session`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: 't\"--', user: u, expires: e } }\n", "cannot name one", "`token`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, cookie: 'a;b' } }\n", "`a;b` cannot name one", "`session`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, hash: sha265 } }\n", "`sha265` is not known", "did you mean `sha256`?"),
        ("freehold: 1\nservice: a\nauth: { sessions: true, session: { table: s, token_column: t, user: u, expires: e } }\n", "excludes `sessions`", "leave out"),
        ("freehold: 1\nservice: a\ntenancy: { entity: org }\nauth: { session: { table: s, token_column: t, user: u, expires: e } }\nentities: { org: { tenant: self, fields: { a: int } } }\n", "not in which tenant", "auth.tenant"),
        ("freehold: 1\nservice: a\nauth: { gateway: yes please }\n", "is not `true` or", ""),
        ("freehold: 1\nservice: a\nroles: { admin: [membr], member: [] }\n", "no role `membr`", "`member`"),
        ("freehold: 1\nservice: a\nroles: { a: [b], b: [a] }\n", "inherits from itself", "circle"),
        ("freehold: 1\nservice: a\nroles: { public: [] }\n", "without being declared", "leave it out"),
        ("freehold: 1\nservice: a\nroles: { a: b }\n", "is not a list", ""),
        ("freehold: 1\nservice: a\ndeploy: [dokcer]\n", "`dokcer` is not known", "did you mean `docker`?"),
        ("freehold: 1\nservice: a\nplatform: { bucket: {} }\n", "`bucket` is not known", "did you mean `buckets`?"),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { max_sze: 1 } } }\n", "`max_sze`", "did you mean `max_size`?"),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { max_size: 5XB } } }\n", "is not a size", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { extensions: png } } }\n", "is not a list of texts", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { file_security: maybe } } }\n", "is not `true` or", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { compression: zip } } }\n", "`zip` is not known", "gzip"),
        ("freehold: 1\nservice: a\nplatform: { functions: { x: { timeout: -1 } } }\n", "is not a whole number", ""),
        ("freehold: 1\nservice: a\nauth: { issuer: [a] }\n", "is not a text", ""),
        ("freehold: 1\nservice: a\nauth: { algorithms: RS256 }\n", "is not a list of texts", ""),
        ("freehold: 1\nservice: a\nauth: { require: { kind: 5 } }\n", "is not a map of texts", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { ../x: {} } }\n", "cannot be an id", ""),
        ("freehold: 1\nservice: a\ninclude: [x.yaml]\n", "a text alone cannot include", ""),
        ("freehold: 1\nservice: a\ndefaults: { id: guid }\n", "`guid` is not known", "uuid"),
        ("freehold: 1\nservice: a\nentities: { b: { tenant: scoped, fields: { c: int } } }\n", "has no `tenancy:`", "tenancy:"),
        ("freehold: 1\nservice: a\nentities: { B: { tenant: none, fields: { c: int } } }\n", "cannot name an entity", "`b`"),
        ("freehold: 1\nservice: a\nentities: { import: { tenant: none, fields: { c: int } } }\n", "is a word of Python, TypeScript, Go", "import_entry"),
        ("freehold: 1\nservice: a\nentities: { audit_log: { tenant: none, fields: { c: int } } }\n", "makes for itself", ""),
        ("freehold: 1\nservice: a\nentities: { b: { tenant: none } }\n", "has no fields", "fields:"),
        ("freehold: 1\nservice: a\nentities: { b: 5 }\n", "is not a map", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_how_to_mend_it(text: str, message: str, hint: str) -> None:
    found = problems(text)[0]

    assert message in found.message
    assert hint in found.hint


def test_a_tenant_that_is_not_self_is_told() -> None:
    text = "freehold: 1\nservice: a\ntenancy: { entity: org }\nentities: { org: { tenant: none, fields: { a: int } } }\n"

    assert "is not `tenant: self`" in only_problem(text).message


def test_who_belongs_to_no_tenant_cannot_refer_to_a_tenants_row() -> None:
    assert "belongs to no tenant" in only_problem(with_fields("tag: ref(tag)", tenant="none")).message


def test_relations_that_are_required_in_a_circle_are_told() -> None:
    text = (
        FRAME + "  a: { tenant: none, fields: { b: ref(b) } }\n  b: { tenant: none, fields: { a: ref(a) } }\n"
    )

    assert all("nobody could write the first row" in each.message for each in problems(text))


def test_two_relations_cannot_have_one_name_from_the_other_side() -> None:
    found = only_problem(
        with_fields("a: { type: ref(tag), inverse: tasks }", "b: { type: ref(tag), inverse: tasks }")
    )

    assert found.message == "`tag` has `tasks` already, from `task.a`"


def test_a_relation_and_a_field_cannot_share_a_key() -> None:
    assert "is called `a_id` too" in only_problem(with_fields("a: ref(tag)", "a_id: int")).message


def test_two_natural_keys_are_one_too_many() -> None:
    fields = [f"{name}: {{ type: int, unique: true, natural_key: true }}" for name in "ab"]

    assert only_problem(with_fields(*fields)).message == "`a` is the natural key already"


def test_a_table_that_an_index_already_has_as_its_name_is_told() -> None:
    text = (
        FRAME
        + "  a: { tenant: none, fields: { b: { type: int, index: true } } }\n  c: { tenant: none, table: a_b_idx, fields: { b: int } }\n"
    )

    assert "would be called `a_b_idx`" in only_problem(text).message
