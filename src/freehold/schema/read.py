"""From `freehold.yaml` to a Schema: every key is known, and all mistakes are told at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from freehold.schema import document, keys, names
from freehold.schema.check import check
from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.identify import identify
from freehold.schema.lock import Decisions, Lock, read_lock
from freehold.schema.model import Auth, Isolation, Schema, SessionHash, SessionTable, Tenancy
from freehold.schema.problems import Problem, SchemaError, did_you_mean
from freehold.schema.read_entities import Defaults, EntityReader

FILE = "freehold.yaml"
MAX_FILES = 100

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_TABLE = re.compile(rf"(?:{_IDENTIFIER.pattern}\.)?{_IDENTIFIER.pattern}")
_COOKIE = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def read_schema(path: str | Path, *, decisions: Decisions | None = None, lock: Lock | None = None) -> Schema:
    """The schema of a file and those that it includes, with the ids of the lock, or of the one beside it."""
    file = Path(path)
    if file.is_dir():
        file = file / FILE
    folder = file.parent.resolve()

    def included(name: str) -> bytes:
        found = (folder / name).resolve()
        if Path(name).is_absolute() or not found.is_relative_to(folder):
            raise PermissionError(name)
        return _bytes(found)

    try:
        text = _bytes(file)
    except OSError as error:
        hint = "name another with its path" if isinstance(error, FileNotFoundError) else ""
        raise SchemaError(
            [
                Problem(
                    file=str(path),
                    line=1,
                    column=1,
                    path="",
                    message=f"cannot be read: {error.strerror}",
                    hint=hint,
                )
            ]
        ) from error
    return _parse(text, file.name, lock or read_lock(folder), decisions, included)


def parse_schema(
    text: str | bytes, *, file: str = FILE, lock: Lock | None = None, decisions: Decisions | None = None
) -> Schema:
    """The schema that a text describes. Raises a SchemaError with every problem in it."""
    return _parse(text, file, lock, decisions, None)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(document.MAX_BYTES + 1)


Included = Callable[[str], bytes]


def _parse(
    text: str | bytes, file: str, lock: Lock | None, decisions: Decisions | None, included: Included | None
) -> Schema:
    reader = _Reader(included)
    schema, drafts = reader.schema(text, file)
    schema = check(schema, drafts, reader.problems)
    reader.problems.raise_any()
    return identify(schema, drafts, lock, decisions or Decisions())


class _Reader(EntityReader):
    """Reads one schema, and remembers what was wrong and where each thing stands."""

    def __init__(self, included: Included | None) -> None:
        super().__init__()
        self.included = included

    def schema(self, text: str | bytes, file: str) -> tuple[Schema, Drafts]:
        root = document.parse(text, file=file, problems=self.problems)
        if not self._is(root, "map", "a schema is a map that begins with `freehold: 1`"):
            self.problems.stop()
        self.drafts.root = root
        self._known(root, keys.TOP)
        self._language(root)
        defaults = self._defaults(root.get("defaults"))
        documents = [root, *self._includes(root)]
        schema = Schema(
            service=self._service(root),
            description=self._description(root),
            tenancy=self._tenancy(root.get("tenancy")),
            auth=self._auth(root.get("auth")),
            roles=self._roles(root.get("roles")),
            entities=self._entities(documents, defaults),
            platform=self._platform(documents),
            deploy=self._deploy(root.get("deploy")),
        )
        return schema, self.drafts

    # The file's own keys

    def _language(self, root: Value) -> None:
        version = root.get("freehold")
        if version is None:
            self.problems.add(root.problem("does not say its language", "begin with `freehold: 1`"))
        elif version.data != 1 or version.kind != "number":
            self.problems.add(
                version.problem(f"language `{version.raw}` is not known", "write `freehold: 1`")
            )

    def _includes(self, root: Value) -> list[Value]:
        found: list[Value] = []
        listed = root.get("include")
        if listed is None or not self._is(listed, "list", "write `include: [entities/sales.yaml]`"):
            return found
        if len(listed.data) > MAX_FILES:
            self.problems.add(listed.problem(f"there are more than {MAX_FILES} files"))
            return found
        for each in listed.data:
            name = self._text(each, "the path of a file, relative to this one")
            if name is None:
                continue
            if self.included is None:
                self.problems.add(
                    each.problem("a text alone cannot include files", "read the schema from its file")
                )
                continue
            try:
                part = document.parse(self.included(name), file=name, problems=self.problems)
            except PermissionError:
                self.problems.add(
                    each.problem(f"`{name}` is outside of the schema's folder", "move it beside the schema")
                )
                continue
            except (OSError, ValueError) as error:
                if isinstance(error, SchemaError):
                    raise
                self.problems.add(
                    each.problem(f"`{name}` cannot be read: {getattr(error, 'strerror', None) or error}")
                )
                continue
            if self._is(part, "map", "an included file is a map with `entities:`"):
                self._known(part, keys.INCLUDED)
                found.append(part)
        return found

    def _service(self, root: Value) -> str:
        value = root.get("service")
        if value is None:
            self.problems.add(root.problem("has no `service:`", "name it, as in `service: acme-crm`"))
            return "service"
        text = self._text(value, "a name such as `acme-crm`")
        if text is None:
            return "service"
        if len(text) > 60 or not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", text):
            proposal = names.path_of(names.snake_case(text))
            self.problems.add(
                value.problem(
                    f"`{text}` cannot name a repository and a package",
                    f"such as `{proposal}`: a-z, 0-9 and single dashes",
                )
            )
        return text

    def _tenancy(self, value: Value | None) -> Tenancy | None:
        if value is None or not self._is(value, "map", "write `tenancy: { entity: organization }`"):
            return None
        self._known(value, keys.TENANCY)
        self.drafts.has_tenancy = True
        entity = value.get("entity")
        if entity is None:
            self.problems.add(
                value.problem("does not say which entity is the tenant", "add `entity: organization`")
            )
            return None
        self.drafts.tenancy = entity
        return Tenancy(
            entity=self._text(entity, "the name of an entity") or "",
            isolation=self._one_of(value.get("isolation"), get_args(Isolation), "rls"),
        )

    def _auth(self, value: Value | None) -> Auth | None:
        if value is None or not self._is(value, "map", "write `auth: { provider: auth0 }`"):
            return None
        self._known(value, keys.AUTH)
        memberships = value.get("tenant")
        self.drafts.memberships = memberships
        return Auth(
            provider=self._one_of(value.get("provider"), keys.AUTH_PROVIDERS, "custom"),
            api_keys=self._flag(value, "api_keys", False),
            sessions=self._flag(value, "sessions", False),
            session=self._session(value),
            gateway=self._flag(value, "gateway", False),
            tenant=self._text(memberships, "the name of an entity") or "" if memberships else "",
            overrides=self._settings(value, keys.AUTH_OVERRIDES),
        )

    def _session(self, auth: Value) -> SessionTable | None:
        value = auth.get("session")
        hint = "write `session: { table: session, token_column: token, user: user_id, expires: expires_at }`"
        if value is None or not self._is(value, "map", hint):
            return None
        self._known(value, keys.SESSION)
        self.drafts.session = value
        return SessionTable(
            table=self._spelled(value, "table", _TABLE, "a table, such as `login.session`"),
            token_column=self._spelled(value, "token_column", _IDENTIFIER, "a column, such as `token`"),
            user=self._spelled(value, "user", _IDENTIFIER, "a column, such as `user_id`"),
            expires=self._spelled(value, "expires", _IDENTIFIER, "a column, such as `expires_at`"),
            hash=self._one_of(value.get("hash"), get_args(SessionHash), "plain"),
            cookie=self._spelled(value, "cookie", _COOKIE, "a cookie, such as `session`", "session"),
        )

    def _spelled(
        self, holder: Value, key: str, spelling: re.Pattern[str], what: str, otherwise: str = ""
    ) -> str:
        """The name that a key has, spelled as names of its kind are."""
        value = holder.get(key)
        if value is None:
            if not otherwise:
                self.problems.add(holder.problem(f"does not say `{key}`", f"name {what}"))
            return otherwise
        text = self._text(value, what)
        if text is not None and not spelling.fullmatch(text):
            self.problems.add(value.problem(f"`{text}` cannot name one", f"name {what}"))
        return text or otherwise

    def _roles(self, value: Value | None) -> dict[str, tuple[str, ...]]:
        if value is None or not self._is(value, "map", "write `roles: { admin: [member], member: [] }`"):
            return {}
        self.drafts.roles = value
        roles: dict[str, tuple[str, ...]] = {}
        for name, inherited in value.items():
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,57}", name):
                self.problems.add(
                    value.problem(
                        f"`{name}` cannot name a role", f"such as `{names.snake_case(name)}`", key=name
                    )
                )
            roles[name] = self._words(inherited, "the roles that it inherits from, as in `[member]`, or `[]`")
        return roles

    def _defaults(self, value: Value | None) -> Defaults:
        if value is None or not self._is(value, "map", "write `defaults: { id: uuid }`"):
            return Defaults()
        self._known(value, keys.SYSTEM)
        return self._system(value, Defaults())

    def _deploy(self, value: Value | None) -> tuple[str, ...]:
        if value is None:
            return ()
        words = self._words(value, "a list such as `[docker, compose]`")
        for at, word in enumerate(words):
            if word not in keys.DEPLOY:
                self.problems.add(
                    value.data[at].problem(f"`{word}` is not known", did_you_mean(word, keys.DEPLOY))
                )
        return words

    def _platform(self, documents: list[Value]) -> dict[str, Any]:
        platform: dict[str, Any] = {}
        for part in documents:
            value = part.get("platform")
            if value is None or not self._is(
                value, "map", "a map with `buckets:`, `functions:`, `sites:`, `topics:`"
            ):
                continue
            self._known(value, keys.PLATFORM)
            for group, things in value.items():
                if group not in keys.PLATFORM or not self._is(
                    things, "map", f"a map of {group} by their ids"
                ):
                    continue
                kept = platform.setdefault(group, {})
                for name, settings in things.items():
                    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}", name):
                        self.problems.add(
                            things.problem(
                                f"`{name}` cannot be an id",
                                "at most 36 of a-z, A-Z, 0-9, `.`, `_`, `-`; a letter or digit first",
                                key=name,
                            )
                        )
                    if name in kept:
                        self.problems.add(things.problem(f"`{name}` is in another file too", key=name))
                    if settings.kind != "null" and self._is(
                        settings, "map", f"its settings: {', '.join(keys.PLATFORM[group])}"
                    ):
                        self._known(settings, keys.PLATFORM[group])
                        kept[name] = self._settings(settings, keys.PLATFORM[group])
                    else:
                        kept[name] = {}
        return platform
