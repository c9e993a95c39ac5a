"""The guards of a service in Go, which is compiled once: OFF names those that are off."""

from __future__ import annotations

import json

from tests.generator.guards.mutants import Edit, Mutant, asked_by

SWITCH = """package off

import (
	"os"
	"slices"
	"strings"
)

var off = strings.Split(os.Getenv("OFF"), "\\n")

func Is(guard string) bool { return slices.Contains(off, guard) }

func Unless(guard, permission string) []string {
	if Is(guard) {
		return nil
	}
	return []string{permission}
}
"""

ROUTES, STORE = "internal/projects/routes.go", "internal/projects/repository.go"
ACCESS, API = "internal/access/principal.go", "internal/api/"
AUTH, KEYS = "internal/auth/auth.go", "internal/auth/apikeys.go"

REACHES = "TestARoleReachesTheRowsItShouldAndNoOthers/project/member"
CREATES = "TestARoleCreatesWhatItMay/project/member"
SEALED = "TestAFieldThatTheRoleMayNotSetIsRefusedByNameOnEveryWay/project"
REFUSED_KEY = "TestAnAPIKeyThatIsWrongOrExpiredOrNotAloneIsRefused/project"
STALE = "TestARowThatHasChangedIsNeitherDeletedNorChangedInABatch/project"
LINKS = "TestLinksStayWithinTheTenant/project"
ONCE_FOR_EACH = "TestAnIdempotencyKeyBelongsToItsCaller/project"


def lacks(way: str, permission: str) -> str:
    name = f"{way} without {permission}".replace(" ", "_")
    return f"TestWhoLacksAPermissionIsRefusedBeforeAnyRowIsLookedAt/{asked_by(permission)}/{name}"


def forged(how: str) -> str:
    return f"TestAForgedTokenIsRefused/{how.replace(' ', '_')}"


def mutant(guard: str, test: str, *edits: Edit, turn: int = 1) -> Mutant:
    """OFF in a text that stands in the place of another is whether the guard is off, and GUARD its name."""
    name = json.dumps(guard)
    spelled = [
        each._replace(instead=each.instead.replace("OFF", f"off.Is({name})").replace("GUARD", name))
        for each in edits
    ]
    return Mutant(guard, test, tuple(spelled), turn)


def failing(file: str, call: str, at: int | None = None) -> Edit:
    """A call whose error is not looked at when the guard is off."""
    return Edit(file, f"{call}; err != nil {{", f"{call}; err != nil && !OFF {{", at)


MUTANTS: tuple[Mutant, ...] = (
    *(
        mutant(
            f"{permission} of {way}",
            lacks(way, permission),
            failing(ROUTES, call.replace("_", permission), at),
        )
        for permission, way, call, at in (
            ("project:read", "GET  (project:read)", 'call.Caller.Require("_")', 0),
            ("project:read", "GET /{id} (project:read)", 'call.Caller.Require("_")', 1),
            (
                "project:read_deleted",
                "GET ?deleted=only (project:read, project:read_deleted)",
                'call.Caller.Require("_")',
                None,
            ),
            ("project:update", "PATCH /{id} (project:update)", 'call.MayWrite("_", entity)', None),
            ("project:delete", "DELETE /{id} (project:delete)", 'call.Caller.Require("_")', None),
            ("project:restore", "POST /{id}/restore (project:restore)", 'call.Caller.Require("_")', None),
            (
                "project:update",
                "PUT /{id}/team/{person} (project:update, person:read)",
                'call.Caller.Require("_")',
                0,
            ),
            (
                "person:read",
                "DELETE /{id}/team/{person} (project:update, person:read)",
                'call.Caller.Require("_")',
                0,
            ),
        )
    ),
    *(
        mutant(f"{permission} of {way}", lacks(way, permission), edit)
        for permission, way, edit in (
            (
                "person:create",
                "POST  (person:create)",
                failing("internal/people/routes.go", 'call.MayWrite("person:create", entity)'),
            ),
            (
                "person:create",
                "POST /batch (person:create)",
                Edit(
                    "internal/people/routes.go",
                    'r.createIn, "person:create")',
                    'r.createIn, off.Unless(GUARD, "person:create")...)',
                ),
            ),
            (
                "project:update",
                "POST /batch (project:create, project:update)",
                Edit(
                    ROUTES,
                    'append(permissions, "project:update")',
                    'append(permissions, off.Unless(GUARD, "project:update")...)',
                ),
            ),
            (
                "project:update",
                "POST /batch-update (project:update)",
                Edit(
                    ROUTES,
                    'r.changeIn, "project:update")',
                    'r.changeIn, off.Unless(GUARD, "project:update")...)',
                ),
            ),
            (
                "project:delete",
                "POST /batch-delete (project:delete)",
                Edit(f"{API}batches.go", "[]string{permission}", "off.Unless(GUARD, permission)"),
            ),
        )
    ),
    mutant(
        "the rows of a grant",
        REACHES,
        Edit("internal/db/statement.go", "if len(grant) == 0 {", "if len(grant) == 0 || OFF {"),
        turn=2,
    ),
    mutant(
        "the rows of a grant, when one is restored",
        REACHES,
        Edit(
            STORE,
            'statement, err := reachable(tx, "project:restore", "only")',
            'may := "project:restore"\n\tif OFF {\n\t\tmay = "project:read"\n\t}\n'
            '\tstatement, err := reachable(tx, may, "only")',
        ),
    ),
    mutant(
        "the rows of a grant, when one is made",
        CREATES,
        Edit(
            STORE,
            "return created, checkCreated(ctx, tx, created.ID)",
            "if OFF {\n\t\treturn created, nil\n\t}\n\treturn created, checkCreated(ctx, tx, created.ID)",
        ),
    ),
    mutant(
        "the rows of a grant, when one is made by its natural key",
        CREATES,
        Edit(
            STORE,
            "return created, db.Created, checkCreated(ctx, tx, created.ID)",
            "if OFF {\n\t\t\treturn created, db.Created, nil\n\t\t}\n"
            "\t\treturn created, db.Created, checkCreated(ctx, tx, created.ID)",
        ),
        turn=2,
    ),
    mutant(
        "fields that are hidden, in what is shown",
        "TestAHiddenFieldIsNotShown/project",
        Edit(ACCESS, "if p.Hides(entity, field) {", "if p.Hides(entity, field) && !OFF {"),
    ),
    mutant(
        "fields that are hidden, in filters",
        "TestEveryFilterTakesAValueAndNarrows/project",
        Edit(f"{API}lists.go", "caller.Hides(entity, field) {\n", "caller.Hides(entity, field) && !OFF {\n"),
    ),
    mutant(
        "fields that are hidden, in orders",
        "TestPagesHoldEveryRowOnceEvenOfTheSameMillisecond/project",
        Edit(
            f"{API}lists.go",
            "if caller.Hides(entity, each.name) {",
            "if caller.Hides(entity, each.name) && !OFF {",
        ),
    ),
    mutant(
        "links that are hidden",
        "TestOnlyRowsThatTheCallerMayReadAreIncluded/project",
        Edit(
            f"{API}relations.go",
            "if caller.Hides(relation.Guard, relation.GuardField) {",
            "if caller.Hides(relation.Guard, relation.GuardField) && !OFF {",
        ),
    ),
    mutant(
        "fields that are sealed",
        SEALED,
        Edit(ACCESS, "if len(faults) == 0 {", "if len(faults) == 0 || OFF {"),
        turn=2,
    ),
    mutant(
        "fields that are sealed, when a row is made or changed",
        SEALED,
        Edit(
            f"{API}call.go",
            "return c.Caller.CheckWritable(entity, c.Body.Sent())",
            "if OFF {\n\t\treturn nil\n\t}\n\treturn c.Caller.CheckWritable(entity, c.Body.Sent())",
        ),
    ),
    mutant(
        "fields that are sealed, in batches",
        SEALED,
        failing(f"{API}batches.go", "checkItems(call.Caller, entity, items)"),
        turn=0,
    ),
    mutant(
        "fields that are sealed, when a link is made or taken away",
        SEALED,
        failing(ROUTES, 'call.Caller.CheckWritable(entity, []string{"reviewer_ids"})'),
        turn=0,
    ),
    mutant(
        "the scopes of API keys",
        "TestAnAPIKeyIsLimitedToItsScopes/project",
        Edit(ACCESS, "if len(p.scopes) > 0 &&", "if len(p.scopes) > 0 && !OFF &&"),
    ),
    mutant(
        "API keys that are revoked",
        "TestAnAPIKeyReachesTheRowsOfItsTenantUntilItIsRevoked/project",
        Edit(KEYS, "[]any{spelled[1]}, scanKey)", "[]any{spelled[1], OFF}, scanKey)"),
        Edit(KEYS, "revoked_at is null", "(revoked_at is null or $2)"),
    ),
    mutant(
        "API keys that have expired",
        REFUSED_KEY,
        Edit(
            KEYS,
            "expires_at > now())`,",
            "expires_at > now()` + map[bool]string{true: ` or true`}[OFF] + `)`,",
        ),
    ),
    mutant(
        "the secrets of API keys",
        REFUSED_KEY,
        Edit(KEYS, "[]byte(Digest(key))) != 1 {", "[]byte(Digest(key))) != 1 && !OFF {"),
        turn=0,
    ),
    mutant(
        "the issuer of tokens",
        forged("another issuer"),
        Edit(
            AUTH,
            "jwt.WithIssuer(provider.Issuer),",
            "map[bool]jwt.ParserOption{true: jwt.WithIssuedAt(), false: jwt.WithIssuer(provider.Issuer)}"
            "[OFF],",
        ),
    ),
    mutant(
        "the expiry of tokens",
        forged("expired"),
        Edit(
            AUTH,
            "jwt.WithLeeway(leeway),",
            "jwt.WithLeeway(map[bool]time.Duration{true: 24 * time.Hour, false: leeway}[OFF]),",
        ),
    ),
    mutant(
        "the algorithms of tokens",
        forged("another hash"),
        Edit(
            AUTH,
            "jwt.WithValidMethods(provider.Algorithms),",
            'jwt.WithValidMethods(map[bool][]string{true: {"RS256", "RS512"}, false: provider.Algorithms}'
            "[OFF]),",
        ),
    ),
    mutant(
        "the audience of tokens",
        forged("another audience"),
        Edit(AUTH, "if len(v.provider.Audience) > 0 &&", "if len(v.provider.Audience) > 0 && !OFF &&"),
    ),
    mutant(
        "what else a token has to say",
        forged("another use"),
        Edit(AUTH, "if claims[claim] != expected {", "if claims[claim] != expected && !OFF {"),
    ),
    mutant(
        "If-Match of changes",
        "TestOfTwoChangesToTheSameVersionOneIsRefused/project",
        Edit(
            STORE,
            "statement.Version(`version`, versions)\n\tassignments",
            "if !OFF {\n\t\tstatement.Version(`version`, versions)\n\t}\n\tassignments",
        ),
    ),
    mutant(
        "If-Match of deletes",
        STALE,
        Edit(
            STORE,
            "statement.Version(`version`, versions)\n\tdeleted",
            "if !OFF {\n\t\tstatement.Version(`version`, versions)\n\t}\n\tdeleted",
        ),
    ),
    mutant(
        "versions in batches",
        STALE,
        Edit(f"{API}batches.go", "if version == nil {", "if version == nil || OFF {"),
        turn=2,
    ),
    mutant(
        "the tenant of idempotency keys",
        ONCE_FOR_EACH,
        Edit(
            f"{API}idempotency.go", "if tx.Caller.TenantID != nil {", "if tx.Caller.TenantID != nil && !OFF {"
        ),
    ),
    mutant(
        "the caller of idempotency keys",
        ONCE_FOR_EACH,
        Edit(
            f"{API}idempotency.go",
            "actor := tx.Caller.Actor(); actor != nil {",
            "actor := tx.Caller.Actor(); actor != nil && !OFF {",
        ),
        turn=2,
    ),
    mutant(
        "rate limits",
        "TestWhoAsksTooOftenIsToldWhenToComeBack",
        Edit(f"{API}limits.go", "left, now, left < 1\n", "left, now, left < 1 && !OFF\n"),
        turn=2,
    ),
    mutant(
        "rate limits of guesses",
        "TestGuessesAreCountedToo",
        Edit(
            f"{API}call.go",
            "Status < http.StatusInternalServerError {",
            "Status < http.StatusInternalServerError && !OFF {",
        ),
    ),
    mutant(
        "rate limits of callers",
        "TestWhoAsksTooOftenIsToldWhenToComeBack",
        failing(f"{API}call.go", "h.Limiter.Take(limited(caller, r), w.Header())"),
    ),
    mutant(
        "rows that are deleted",
        "TestDeletedIsGone/project",
        Edit(STORE, 'case "exclude":\n', 'case "exclude":\n\t\tif OFF {\n\t\t\tbreak\n\t\t}\n'),
        turn=2,
    ),
    mutant(
        "who sees rows that are deleted",
        "TestDeletedRowsAreOnlyShownToThoseWhoCouldHaveDeletedThem/project",
        Edit(STORE, 'if query.Deleted != "exclude" {', 'if query.Deleted != "exclude" && !OFF {'),
    ),
    mutant(
        "the row, when a link is made or taken away",
        LINKS,
        failing(ROUTES, "ReachProject(call.Context(), tx, id)", 0),
    ),
    *(
        mutant(
            f"the row at the other end, when a link is {when}",
            LINKS,
            failing(f"{API}relations.go", "mustSee(ctx, tx, relation, other)", at),
            turn=0 if at else 2,
        )
        for at, when in enumerate(("made", "taken away"))
    ),
)
