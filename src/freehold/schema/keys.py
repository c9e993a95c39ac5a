"""Every key of the language: what it says, and the form of its value, for the reader and the JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, get_args

from freehold.schema.model import ACTIONS, IdKind, Isolation, OnDelete, SessionHash, Tenant

Words = tuple[str, ...]


class Form(StrEnum):
    """What the value of a setting looks like."""

    TEXT = "a text"
    FLAG = "`true` or `false`"
    COUNT = "a whole number from 0"
    SIZE = "a size, such as `5MB`, or a number of bytes"
    TEXTS = "a list of texts"
    TEXT_OR_TEXTS = "a text or a list of texts"
    SETTINGS = "a map of texts"


class Key(NamedTuple):
    says: str
    """A sentence, shown by editors."""
    form: Form | None = None
    """None where the key has a grammar of its own."""
    words: Words = ()
    """The words that its value may be, when it is one of a few."""


Keys = Mapping[str, Key]

SIZE_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}

AUTH_PROVIDERS = (
    "auth0",
    "clerk",
    "cognito",
    "supabase",
    "keycloak",
    "workos",
    "better-auth",
    "freehold",
    "custom",
)
DEPLOY = ("docker", "compose", "github", "fly", "render", "railway", "kubernetes", "aws", "terraform")
UNIQUE_WORDS = ("global",)

TOP: Keys = {
    "freehold": Key("The version of the language. Always 1."),
    "service": Key(
        "Names the repository, the package and the API: lower case, digits and dashes.", Form.TEXT
    ),
    "description": Key("What the backend is for, in a sentence or two.", Form.TEXT),
    "tenancy": Key("Which entity is the tenant, and how its rows are kept apart."),
    "auth": Key("Who vouches for callers."),
    "roles": Key("The roles of callers, each with the roles that it inherits from."),
    "defaults": Key("What holds for every entity that does not say otherwise."),
    "include": Key("Other files with entities, relative to this one.", Form.TEXTS),
    "entities": Key("The kinds of things that the backend keeps, by name: snake_case, singular."),
    "platform": Key(
        "What the platform is to have besides tables, such as buckets. A service of your own ignores it."
    ),
    "deploy": Key("The deployment files that a service is to have.", words=DEPLOY),
}
INCLUDED: Keys = {name: TOP[name] for name in ("freehold", "entities", "platform")}

TENANCY: Keys = {
    "entity": Key("The name of the entity that is `tenant: self`.", Form.TEXT),
    "isolation": Key(
        "`rls`: row-level security and a condition in each statement. `where`: the condition alone.",
        words=get_args(Isolation),
    ),
}

AUTH_OVERRIDES: Keys = {
    "issuer": Key("The `iss` of its tokens.", Form.TEXT),
    "jwks_url": Key("Where its public keys are.", Form.TEXT),
    "algorithms": Key("The algorithms that it signs with.", Form.TEXTS),
    "audience_claim": Key("The claim that says whom a token is for.", Form.TEXT),
    "audience": Key("Whom a token has to be for.", Form.TEXT_OR_TEXTS),
    "user_claim": Key("The claim that holds the user's id.", Form.TEXT),
    "tenant_claim": Key("The claim that holds the tenant's id.", Form.TEXT),
    "roles_claim": Key("The claim that holds the roles.", Form.TEXT),
    "service_claim": Key("The claim that tells a server from a person.", Form.TEXT),
    "service_value": Key("What that claim says of a server.", Form.TEXT),
    "require": Key("Claims that have to have a value, such as `{ token_use: access }`.", Form.SETTINGS),
}
SESSION: Keys = {
    "table": Key("The table of its sessions, such as `login.session`.", Form.TEXT),
    "token_column": Key("The column by which a session is found.", Form.TEXT),
    "hash": Key(
        "`plain`: the column has the token of the cookie. `sha256`: its SHA-256, in hexadecimal digits.",
        words=get_args(SessionHash),
    ),
    "user": Key("The column that says whose session it is.", Form.TEXT),
    "expires": Key("The column that says until when.", Form.TEXT),
    "cookie": Key("The name of its cookie. SESSION_COOKIE says otherwise.", Form.TEXT),
}
AUTH: Keys = {
    "provider": Key("A preset; every value of it can be set beside it.", words=AUTH_PROVIDERS),
    "api_keys": Key("Whether servers may also come with API keys.", Form.FLAG),
    "sessions": Key("Whether callers may also come with sessions of a live Freehold project.", Form.FLAG),
    "session": Key(
        "The sessions of another login on the same database, whose cookies callers may come with."
    ),
    "gateway": Key("Whether a gateway that knows a secret may say in headers who calls.", Form.FLAG),
    "tenant": Key(
        "The entity whose rows say who belongs to which tenant; without it the token says so.",
        Form.TEXT,
    ),
    **AUTH_OVERRIDES,
}

SYSTEM: Keys = {
    "id": Key("`uuid` (version 7), `serial` or `text`.", words=get_args(IdKind)),
    "timestamps": Key("Whether rows have created_at and updated_at.", Form.FLAG),
    "version": Key("Whether rows have a version, for optimistic concurrency.", Form.FLAG),
}

ENTITY: Keys = {
    "tenant": Key(
        "`self`: it is the tenant. `scoped`: its rows belong to one. `none`: to nobody. There is no default.",
        words=get_args(Tenant),
    ),
    "description": Key("What one of it is, in a sentence.", Form.TEXT),
    "access": Key("Who may read, create, update and delete its rows. What is not allowed is refused."),
    "fields": Key("Its fields by name. A field is a type, or a map with `type:`."),
    "index": Key("Indexes over several fields, such as `[[status, -created_at]]`."),
    "unique": Key("Fields that are unique together (per tenant), such as `[[name, owner]]`."),
    "soft_delete": Key("Whether deleted rows are kept and can be restored.", Form.FLAG),
    "audit": Key("Whether each change is kept, with who made it.", Form.FLAG),
    "sql_events": Key(
        "Whether what is written past the platform, with SQL or by a service, is told as events.", Form.FLAG
    ),
    "plural": Key("Its plural, where the made one is wrong: `people`.", Form.TEXT),
    "table": Key("Its table, where it is not called as the entity.", Form.TEXT),
    **SYSTEM,
    "was": Key("The name that it had, so that a rename is a rename.", Form.TEXT),
}
ACCESS: Keys = {action: Key(f"Who may {action} rows.") for action in ACTIONS}
GRANT: Keys = {
    "role": Key("A role, `public`, `authenticated` or `service`.", Form.TEXT),
    "where": Key("What must hold of the row, such as `owner = me and status in (open, on_hold)`.", Form.TEXT),
}

FIELD: Keys = {
    "type": Key("Such as `string(120)`, `decimal(12,2)`, `enum(a, b)`, `ref(user)`, `text[]`."),
    "nullable": Key("Whether it may be left empty.", Form.FLAG),
    "default": Key("The value of a row that does not say one. Of a relation: `me`, the caller."),
    "unique": Key("`true`: once in each tenant. `global`: once at all.", words=UNIQUE_WORDS),
    "natural_key": Key("Whether people know the row by it. One of each entity, and unique.", Form.FLAG),
    "index": Key("Whether it has an index.", Form.FLAG),
    "min": Key("The least number; of texts, the least length."),
    "max": Key("The greatest number; of texts, the greatest length."),
    "pattern": Key("A regular expression that texts fit, of what every language understands.", Form.TEXT),
    "search": Key("Whether its words are found by a search.", Form.FLAG),
    "list": Key("Whether it is in lists; `false` for what is heavy.", Form.FLAG),
    "read": Key("The role that may read it. Without it: whoever may read the row.", Form.TEXT),
    "write": Key("The role that may write it. Without it: whoever may write the row.", Form.TEXT),
    "filter": Key("Whether lists can be filtered by it.", Form.FLAG),
    "sort": Key("Whether lists can be sorted by it.", Form.FLAG),
    "was": Key("The name that it had, so that a rename is a rename.", Form.TEXT),
    "column": Key("Its column, where it is not called as the field.", Form.TEXT),
    "description": Key("What it holds, in a sentence.", Form.TEXT),
    "inverse": Key("What the relation is called from the other side, such as `tasks`.", Form.TEXT),
    "on_delete": Key(
        "What becomes of the row when the one it refers to is deleted.", words=get_args(OnDelete)
    ),
    "owned": Key("Whether it is a part of the row that it refers to, and goes with it.", Form.FLAG),
}

PLATFORM: Mapping[str, Keys] = {
    "buckets": {
        "name": Key("Its name.", Form.TEXT),
        "max_size": Key("The largest file.", Form.SIZE),
        "extensions": Key("The endings of files that it takes.", Form.TEXTS),
        "file_security": Key("Whether files have permissions of their own.", Form.FLAG),
        "compression": Key("How files are kept.", words=("none", "gzip", "zstd")),
        "encryption": Key("Whether files are kept encrypted.", Form.FLAG),
        "antivirus": Key("Whether files are scanned.", Form.FLAG),
        "enabled": Key("Whether it can be used.", Form.FLAG),
        "transformations": Key("Whether images can be asked for in other sizes.", Form.FLAG),
        "permissions": Key('Who may do what, such as `read("any")`.', Form.TEXTS),
    },
    "functions": {
        "name": Key("Its name.", Form.TEXT),
        "runtime": Key("What runs it, such as `node-22`.", Form.TEXT),
        "path": Key("Its folder.", Form.TEXT),
        "events": Key("What it is run after, such as `users.*.create`.", Form.TEXTS),
        "schedule": Key("When it is run, as cron has it.", Form.TEXT),
        "timeout": Key("Seconds after which it is ended.", Form.COUNT),
        "execute": Key("Who may run it.", Form.TEXTS),
        "entrypoint": Key("The file that is started.", Form.TEXT),
        "commands": Key("How it is built.", Form.TEXT),
        "scopes": Key("What its key may do.", Form.TEXTS),
        "variables": Key("Its environment.", Form.SETTINGS),
        "enabled": Key("Whether it can be run.", Form.FLAG),
        "logging": Key("Whether its output is kept.", Form.FLAG),
        "specification": Key("The size of its machine.", Form.TEXT),
    },
    "sites": {
        "name": Key("Its name.", Form.TEXT),
        "framework": Key("What it is made with.", Form.TEXT),
        "path": Key("Its folder.", Form.TEXT),
        "build_command": Key("How it is built.", Form.TEXT),
        "install_command": Key("How what it needs is installed.", Form.TEXT),
        "output_directory": Key("Where the built site lies.", Form.TEXT),
        "fallback_file": Key("What is answered where nothing is.", Form.TEXT),
        "variables": Key("Its environment.", Form.SETTINGS),
        "enabled": Key("Whether it is served.", Form.FLAG),
        "runtime": Key("What builds it, such as `node-22`.", Form.TEXT),
        "timeout": Key("Seconds after which an answer is given up.", Form.COUNT),
    },
    "topics": {
        "name": Key("Its name.", Form.TEXT),
        "subscribe": Key("Who may subscribe.", Form.TEXTS),
    },
}
