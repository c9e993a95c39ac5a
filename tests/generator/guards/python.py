"""The guards of a service in Python."""

from __future__ import annotations

from tests.generator.guards.mutants import REQUIRED, Edit, Mutant, asked_by, mutant

ROUTES, STORE = "app/projects/routes.py", "app/projects/repository.py"
ACCESS, AUTH, KEYS = "app/core/access.py", "app/core/auth.py", "app/core/api_keys.py"
INCLUDE, LIMITS, ONCE = "app/core/include.py", "app/core/limits.py", "app/core/idempotency.py"

PERMISSIONS = "tests/test_permissions.py::test_"
REACHES = f"{PERMISSIONS}a_role_reaches_the_rows_it_should_and_no_others[member-project]"
CREATES = f"{PERMISSIONS}a_role_creates_what_it_may[member-project]"
SEALED = f"{PERMISSIONS}a_field_that_the_role_may_not_set_is_refused_by_name_on_every_way[project]"
KEY = "tests/test_api_keys.py::test_a_key_"
REFUSED_KEY = f"{KEY}that_is_revoked_or_expired_or_wrong_is_refused[project]"
LINKS = "tests/test_includes.py::test_links_stay_within_the_tenant[project-team]"
ONCE_FOR_EACH = "tests/test_idempotency.py::test_a_key_belongs_to_its_caller[project]"


ROUTES_OF = {"person": "app/people/routes.py", "project": ROUTES}


def lacks(way: str, permission: str) -> str:
    ways = f"{PERMISSIONS}who_lacks_a_permission_is_refused_before_any_row_is_looked_at"
    return f"{ways}[{asked_by(permission)} {way} without {permission}]"


def forged(how: str) -> str:
    return f"tests/test_auth.py::test_a_forged_token_is_refused[{how}]"


MUTANTS: tuple[Mutant, ...] = (
    *(
        mutant(
            f"{permission} of {way}",
            lacks(way, permission),
            Edit(ROUTES_OF[asked_by(permission)], f'caller.require("{permission}")', "pass", at),
        )
        for permission, at, way in REQUIRED
    ),
    mutant(
        "the rows of a grant",
        REACHES,
        Edit("app/core/sql.py", "        if () in grants:", "        if grants:"),
        turn=2,
    ),
    mutant(
        "the rows of a grant, when one is restored",
        REACHES,
        Edit(STORE, 'tx, "project:restore"', 'tx, "project:read"'),
    ),
    mutant(
        "the rows of a grant, when one is made",
        CREATES,
        Edit(STORE, '    assert row is not None\n    await _check_created(tx, row["id"])', ""),
    ),
    mutant(
        "the rows of a grant, when one is made by its natural key",
        CREATES,
        Edit(STORE, '        await _check_created(tx, row["id"])\n        return', "        return"),
        turn=2,
    ),
    mutant(
        "fields that are hidden, in what is shown",
        f"{PERMISSIONS}a_hidden_field_is_not_shown[project]",
        Edit(ACCESS, "if not roles & self.roles}", "if not roles}"),
        turn=2,
    ),
    mutant(
        "fields that are hidden, in filters",
        "tests/test_lists.py::test_every_filter_takes_a_value_and_narrows[project]",
        Edit("app/core/paging.py", 'if parameter.partition(".")[0] in hidden:', "if False:"),
    ),
    mutant(
        "fields that are hidden, in orders",
        "tests/test_lists.py::test_pages_hold_every_row_once_even_when_all_were_made_in_the_same_millisecond[project]",
        Edit("app/core/paging.py", "            if name in hidden:", "            if False:"),
    ),
    mutant(
        "links that are hidden",
        "tests/test_includes.py::test_what_belongs_to_a_row_is_shown_with_it[project-reviewers]",
        Edit(INCLUDE, "if field in caller.hidden(guarded):", "if False:"),
    ),
    mutant(
        "fields that are sealed",
        SEALED,
        Edit(ACCESS, "if name in rules and not rules[name] & self.roles]", "if False]"),
        turn=2,
    ),
    *(
        mutant(f"fields that are sealed, {way}", SEALED, Edit(ROUTES, find, "pass", at), turn=turn)
        for way, find, at, turn in (
            ("when a row is made", "caller.check_writable(ENTITY, body.sent())", 0, 1),
            ("when a row is changed", "caller.check_writable(ENTITY, body.sent())", 1, 0),
            ("when a link is made", 'caller.check_writable(ENTITY, ["reviewer_ids"])', 0, 0),
            ("when a link is taken away", 'caller.check_writable(ENTITY, ["reviewer_ids"])', 1, 0),
        )
    ),
    mutant(
        "fields that are sealed, in batches",
        SEALED,
        Edit("app/core/batch.py", "    _check_writable(caller, entity, items)\n"),
        turn=0,
    ),
    mutant(
        "the scopes of API keys",
        f"{KEY}with_scopes_does_only_what_they_name[project]",
        Edit(ACCESS, "if self.scopes and permission not in self.scopes:", "if False:"),
    ),
    mutant("API keys that are revoked", REFUSED_KEY, Edit(KEYS, "revoked_at is null and ")),
    mutant(
        "API keys that have expired",
        REFUSED_KEY,
        Edit(KEYS, "(expires_at is null or expires_at > now())", "true"),
        turn=2,
    ),
    mutant(
        "the secrets of API keys",
        REFUSED_KEY,
        Edit(KEYS, 'or not hmac.compare_digest(row["hash"], digest(key))'),
        turn=0,
    ),
    mutant("the issuer of tokens", forged("another issuer"), Edit(AUTH, "issuer=provider.issuer,")),
    mutant(
        "the audience of tokens",
        forged("another audience"),
        Edit(AUTH, "if provider.audience and", "if False and"),
    ),
    mutant(
        "the expiry of tokens",
        forged("expired"),
        Edit(AUTH, '"require": ["exp"], ', '"require": ["exp"], "verify_exp": False, '),
    ),
    mutant(
        "the algorithms of tokens",
        forged("another hash"),
        Edit(AUTH, "algorithms=list(provider.algorithms)", 'algorithms=["RS256", "RS512"]'),
        Edit(AUTH, "or algorithm not in self._provider.algorithms"),
    ),
    mutant(
        "what else a token has to say",
        forged("another use"),
        Edit(AUTH, "if claims.get(claim) != expected:", "if False:"),
    ),
    mutant(
        "signatures of tokens",
        forged("another key"),
        Edit(AUTH, '"verify_aud": False', '"verify_aud": False, "verify_signature": False'),
        turn=0,
    ),
    mutant(
        "If-Match of changes",
        "tests/test_versions.py::test_of_two_changes_to_the_same_version_one_is_refused[project]",
        Edit(STORE, "    statement.version(versions)\n    assignments", "    assignments"),
    ),
    mutant(
        "If-Match of deletes",
        "tests/test_versions.py::test_a_row_that_has_changed_is_not_deleted[project]",
        Edit(STORE, "    statement.version(versions)\n    row", "    row"),
    ),
    mutant(
        "versions in batches",
        "tests/test_batches.py::test_many_rows_are_changed[project]",
        Edit(ROUTES, "None if item.version is None else [item.version]", "None"),
    ),
    mutant(
        "the tenant of idempotency keys", ONCE_FOR_EACH, Edit(ONCE, 'str(tx.principal.tenant_id or "")', '""')
    ),
    mutant(
        "the caller of idempotency keys",
        ONCE_FOR_EACH,
        Edit(ONCE, "f\"{tx.principal.kind}:{tx.actor or ''}\"", '""'),
        turn=2,
    ),
    mutant(
        "rate limits",
        "tests/test_limits.py::test_who_asks_too_often_is_told_when_to_come_back",
        Edit(LIMITS, "refused = left < 1", "refused = False"),
        turn=2,
    ),
    mutant(
        "rate limits of guesses",
        "tests/test_limits.py::test_guesses_are_counted_too",
        Edit(AUTH, 'request.state.limits = limiter.take(f"refused {_place(request)}")', "pass"),
    ),
    mutant(
        "rows that are deleted",
        "tests/test_crud.py::test_what_is_deleted_is_gone[project]",
        Edit(STORE, '    if deleted != "include":', "    if False:"),
        turn=2,
    ),
    mutant(
        "who sees rows that are deleted",
        f"{PERMISSIONS}deleted_rows_are_only_shown_to_those_who_could_have_deleted_them[project]",
        Edit(STORE, '    if query.deleted != "exclude":', "    if False:"),
    ),
    *(
        mutant(f"{what}, when a link is {when}", LINKS, edit, turn=0 if at else turn)
        for at, when in enumerate(("made", "taken away"))
        for turn, what, edit in (
            (1, "the row", Edit(ROUTES, "await repository.reach_project(tx, id)", "pass", at)),
            (
                2,
                "the row at the other end",
                Edit(INCLUDE, "if not await _visible(tx, relation, [other]):", "if False:", at),
            ),
        )
    ),
)
