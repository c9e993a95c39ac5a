"""The guards of a service in TypeScript."""

from __future__ import annotations

from tests.generator.guards.mutants import REQUIRED, Edit, Mutant, asked_by, mutant

ROUTES, STORE = "src/projects/routes.ts", "src/projects/repository.ts"
ACCESS, AUTH, KEYS = "src/core/access.ts", "src/core/auth.ts", "src/core/api-keys.ts"
INCLUDE, LIMITS, ONCE, WEB = (
    "src/core/include.ts",
    "src/core/limits.ts",
    "src/core/idempotency.ts",
    "src/core/web.ts",
)

PERMISSIONS = "tests/permissions.test.ts::"
REACHES = f"{PERMISSIONS}member reaches each project that it should, and no other"
CREATES = f"{PERMISSIONS}member creates the project that it may"
SEALED = f"{PERMISSIONS}project: budget is set by nobody who may not, on any way"
SEALED_LINKS = f"{PERMISSIONS}project: reviewer_ids is set by nobody who may not, on any way"
KEY = "tests/api-keys.test.ts::project: a key "
LISTS = "tests/lists.test.ts::project: "
VERSIONS = "tests/versions.test.ts::project: "
LINKS = "tests/attacks.test.ts::project: links to team stay within the tenant"
ONCE_FOR_EACH = "tests/attacks.test.ts::project: an idempotency key belongs to its caller"


ROUTES_OF = {"person": "src/people/routes.ts", "project": ROUTES}


def lacks(way: str, permission: str) -> str:
    takes = way.replace("/team/{other}", "/team/{person}")
    resource = asked_by(permission)
    return f"{PERMISSIONS}{resource}: {takes} without {permission} is refused before any row is looked at"


def forged(how: str) -> str:
    return f"tests/auth.test.ts::a forged token is refused: {how}"


MUTANTS: tuple[Mutant, ...] = (
    *(
        mutant(
            f"{permission} of {way}",
            lacks(way, permission),
            Edit(ROUTES_OF[asked_by(permission)], f'caller.require("{permission}")', "void 0", at),
        )
        for permission, at, way in REQUIRED
    ),
    mutant(
        "the rows of a grant",
        REACHES,
        Edit(
            "src/core/sql.ts",
            "if (grants.some((grant) => grant.length === 0)) return;",
            "if (grants.length > 0) return;",
        ),
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
        Edit(STORE, "await checkCreated(tx, row.id);", "", 0),
    ),
    mutant(
        "the rows of a grant, when one is made by its natural key",
        CREATES,
        Edit(STORE, "await checkCreated(tx, row.id);", "", 1),
        turn=2,
    ),
    mutant(
        "fields that are hidden, in what is shown",
        f"{PERMISSIONS}the hidden fields of a project are not shown",
        Edit(ACCESS, "(this.#any(roles) ? [] : name)", "(this.#any(roles) ? [] : [] as string[])"),
        turn=2,
    ),
    mutant(
        "fields that are hidden, in filters",
        f"{LISTS}every filter takes a value and narrows",
        Edit("src/core/paging.ts", 'if (hidden.has(parameter.split(".", 1)[0] ?? "")) {', "if (false) {"),
    ),
    mutant(
        "fields that are hidden, in orders",
        f"{LISTS}pages hold every row once, even when all were made in the same millisecond",
        Edit(
            "src/core/paging.ts",
            'if (hidden.has(name)) throw invalidParameter("sort"',
            'if (false) throw invalidParameter("sort"',
        ),
    ),
    mutant(
        "links that are hidden",
        "tests/relations.test.ts::project: reviewers is shown with a row, if the caller may see it",
        Edit(INCLUDE, "if (caller.hidden(guarded).has(field))", "if (false)"),
    ),
    mutant(
        "fields that are sealed",
        SEALED,
        Edit(ACCESS, "if (refused.length === 0) return;", "return;"),
        turn=2,
    ),
    *(
        mutant(f"fields that are sealed, {way}", test, Edit(ROUTES, find, "void 0", at), turn=turn)
        for way, test, find, at, turn in (
            ("when a row is made", SEALED, "caller.checkWritable(ENTITY, body)", 0, 1),
            ("when a row is changed", SEALED, "caller.checkWritable(ENTITY, body)", 1, 0),
            ("when a link is made", SEALED_LINKS, "caller.checkWritable(ENTITY, { reviewer_ids: [] })", 0, 1),
            (
                "when a link is taken away",
                SEALED_LINKS,
                "caller.checkWritable(ENTITY, { reviewer_ids: [] })",
                1,
                0,
            ),
            ("in batches that make rows", SEALED, "checkItemsWritable(caller, ENTITY, body.items)", 0, 0),
            ("in batches that change rows", SEALED, "checkItemsWritable(caller, ENTITY, body.items)", 1, 0),
        )
    ),
    mutant(
        "the scopes of API keys",
        f"{KEY}is limited to its scopes",
        Edit(ACCESS, "if (this.identity.scopes.size > 0 &&", "if (false &&"),
    ),
    mutant(
        "API keys that are revoked",
        f"{KEY}reaches the rows of its tenant until it is revoked",
        Edit(KEYS, "revoked_at is null and "),
    ),
    mutant(
        "API keys that have expired",
        f"{KEY}that is wrong or expired, or not alone, is refused",
        Edit(KEYS, "(expires_at is null or expires_at > now())", "true"),
    ),
    mutant(
        "the secrets of API keys",
        f"{KEY}that is wrong or expired, or not alone, is refused",
        Edit(KEYS, "|| !timingSafeEqual(Buffer.from(found.hash), Buffer.from(digest(key)))"),
        turn=0,
    ),
    mutant("the issuer of tokens", forged("another issuer"), Edit(AUTH, "issuer: this.#provider.issuer,")),
    mutant(
        "the audience of tokens",
        forged("another audience"),
        Edit(AUTH, "if (provider.audience.length > 0) {", "if (false) {"),
    ),
    mutant(
        "the expiry of tokens",
        forged("expired"),
        Edit(AUTH, "clockTolerance: LEEWAY_S,", "clockTolerance: LEEWAY_S * 100,"),
    ),
    mutant(
        "the algorithms of tokens",
        forged("another hash"),
        Edit(AUTH, "algorithms: [...this.#provider.algorithms],", 'algorithms: ["RS256", "RS512"],'),
        turn=0,
    ),
    mutant(
        "what else a token has to say",
        forged("another use"),
        Edit(AUTH, "if (claims[claim] !== expected)", "if (false)"),
    ),
    mutant(
        "If-Match of changes",
        f"{VERSIONS}of two changes to the same version one is refused",
        Edit(STORE, "  statement.version(versions);\n  const assignments", "  const assignments"),
    ),
    mutant(
        "If-Match of deletes",
        f"{VERSIONS}a row that has changed is neither deleted nor changed in a batch",
        Edit(
            STORE,
            "  statement.version(versions);\n  const row = await tx.one(",
            "  const row = await tx.one(",
        ),
    ),
    mutant(
        "versions in batches",
        f"{VERSIONS}a row that has changed is neither deleted nor changed in a batch",
        Edit(ROUTES, 'typeof version === "number" ? [version] : null', "null"),
        turn=2,
    ),
    mutant("the tenant of idempotency keys", ONCE_FOR_EACH, Edit(ONCE, '[tenantId ?? "", ', '["", ')),
    mutant(
        "the caller of idempotency keys",
        ONCE_FOR_EACH,
        Edit(ONCE, '`${kind}:${tx.actor ?? ""}`', '""'),
        turn=2,
    ),
    mutant(
        "rate limits",
        "tests/limits.test.ts::who asks too often is told when to come back, and nobody else is",
        Edit(LIMITS, "const refused = left < 1;", "const refused = false;"),
        turn=2,
    ),
    mutant(
        "rate limits of guesses",
        "tests/limits.test.ts::guesses are counted",
        Edit(WEB, "if (isRefused) void reply", "if (false) void reply"),
    ),
    mutant(
        "rate limits of callers",
        "tests/limits.test.ts::known callers are counted",
        Edit(WEB, "void reply.headers(limiter.take(`${caller.identity.kind} ${who}`));"),
    ),
    mutant(
        "rows that are deleted",
        "tests/crud.test.ts::project: what is deleted is gone",
        Edit(STORE, 'if (deleted !== "include") statement', "if (false) statement"),
        turn=2,
    ),
    mutant(
        "who sees rows that are deleted",
        f"{PERMISSIONS}a deleted project is only shown to those who could have deleted it",
        Edit(STORE, 'if ((query.deleted ?? "exclude") !== "exclude") {', "if (false) {"),
    ),
    *(
        mutant(f"{what}, when a link is {when}", LINKS, edit, turn=0 if at else turn)
        for at, when in enumerate(("made", "taken away"))
        for turn, what, edit in (
            (1, "the row", Edit(ROUTES, "await repository.reachProject(tx, params.id)", "void 0", at)),
            (
                2,
                "the row at the other end",
                Edit(INCLUDE, "if ((await visibleOf(tx, relation, [other])).size === 0)", "if (false)", at),
            ),
        )
    ),
)
