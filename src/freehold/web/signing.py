"""What users' JWTs are signed with: a key of each project, whose public half is anybody's to fetch.

A new key is served for a while before it signs, so that whoever keeps the key set for that long has it by
then; an old one is served, and what it signed holds, until the last of its tokens has ended.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol

from freehold import events, secrets
from freehold.config import Refusal, Settings
from freehold.db.pool import Database, Queries, Record
from freehold.errors import InvalidJwt, ProjectNotFound, ServerError
from freehold.web.cache import Cache, Stamps
from freehold.web.projects import Project
from freehold.web.wire import Output

ALGORITHM = "ES256"
LONGEST_S = 3600
"""The most seconds that a JWT holds."""
KEPT_S = 300
"""For how many seconds others may keep the key set, and we keep the keys in memory."""
AHEAD_S = 600
"""For how many seconds a new key is served before it signs; longer than anybody keeps the set."""
_ENDS_S = AHEAD_S + LONGEST_S + 60
"""After how many seconds the last token has ended that a key signed which is followed now."""


class SigningKeySealed(ServerError, type="general_server_error"):
    """The project's signing key was sealed under another FREEHOLD_SECRET. Bring that back, or have
    `freehold signing-keys rotate --revoke` make a new key."""


class Claims(msgspec.Struct, frozen=True, rename="camel"):
    """What the platform itself reads in a user's JWT."""

    aud: str
    exp: int
    user_id: str
    session_id: str
    password_update: float = 0
    """When the user's password was changed last, of a token without a session."""


_claims_decoder = msgspec.json.Decoder(Claims)


class JsonWebKey(Output):
    """The public half of a key, as RFC 7517 writes it."""

    kid: str
    kty: str
    crv: str
    x: str
    y: str
    alg: str = ALGORITHM
    use: str = "sig"


class JsonWebKeySet(Output):
    """The keys that JWTs may be signed with, newest first."""

    keys: list[JsonWebKey]


class _Key(NamedTuple):
    id: str
    public: ECKey
    private: ECKey | None
    """None when another secret sealed it."""
    signs_from: float
    ends_at: float


class SigningKeys:
    """The keys of all projects, remembered as long as nothing about them changes."""

    def __init__(self, db: Queries, stamps: Stamps, settings: Settings) -> None:
        self._db = db
        self._sealing = sealing_key(settings.secret)
        self._keys: Cache[str, tuple[_Key, ...]] = Cache(stamps, size=1_000, ttl_s=KEPT_S)
        self._read: Cache[tuple[str, str], Claims] = Cache(stamps, size=10_000, ttl_s=KEPT_S)

    async def sign(self, project: Project, claims: dict[str, Any]) -> str:
        """A JWT with these claims. Raises SigningKeySealed, ProjectNotFound."""
        keys, now = await self._some_keys(project), time.time()
        # Of a first key the database's clock has said from when on, and ours may be behind.
        key = next((each for each in keys if each.signs_from <= now), keys[-1])
        if key.private is None:
            raise SigningKeySealed()
        return jwt.encode({"alg": ALGORITHM, "kid": key.id}, claims, key.private, algorithms=[ALGORITHM])

    async def read(self, project: Project, text: str) -> Claims:
        """The claims of a JWT that the project has signed and that has not expired. Raises InvalidJwt."""
        claims = await self._read.load(
            (project.realm, text), keys_tag(project.id), lambda: self._verified(project, text)
        )
        if claims is None or claims.exp <= time.time():
            raise InvalidJwt()
        return claims

    async def public(self, project: Project) -> JsonWebKeySet:
        """What others verify the project's JWTs with. Raises ProjectNotFound."""
        now = time.time()
        written = [
            {**each.public.as_dict(private=False), "kid": each.id}
            for each in await self._some_keys(project)
            if each.ends_at > now
        ]
        return JsonWebKeySet(keys=msgspec.convert(written, list[JsonWebKey]))

    async def _verified(self, project: Project, text: str) -> Claims:
        now = time.time()
        keys = {each.id: each.public for each in await self._find(project) or () if each.ends_at > now}

        def named(token: GuestProtocol) -> ECKey:
            key = keys.get(token.headers().get("kid", ""))
            if key is None:
                raise InvalidJwt()
            return key

        try:
            signed = jws.deserialize_compact(text, named, algorithms=[ALGORITHM])
            return _claims_decoder.decode(signed.payload)
        except (JoseError, ValueError, msgspec.DecodeError) as error:
            raise InvalidJwt() from error

    async def _some_keys(self, project: Project) -> tuple[_Key, ...]:
        keys = await self._find(project)
        if keys is None:
            await _add(self._db, self._sealing, project.id, after_s=0)
            keys = await self._find(project)
        if keys is None:
            raise ProjectNotFound(id=project.id)
        return keys

    async def _find(self, project: Project) -> tuple[_Key, ...] | None:
        async def find() -> tuple[_Key, ...] | None:
            rows = await self._db.rows(_KEYS_SQL, project.id)
            return tuple(self._opened(row) for row in rows) or None

        return await self._keys.load(project.realm, keys_tag(project.id), find)

    def _opened(self, row: Record) -> _Key:
        private = secrets.unseal(self._sealing, row["private_sealed"])
        return _Key(
            id=row["id"],
            public=ECKey.import_key(msgspec.json.decode(row["public_key"])),
            private=ECKey.import_key(msgspec.json.decode(private)) if private is not None else None,
            signs_from=row["signs_from"].timestamp(),
            ends_at=row["ends_at"].timestamp(),
        )


def keys_tag(project_id: str) -> str:
    """The cache tag of a project's signing keys, and of what was verified with them."""
    return f"signing keys:{project_id}"


def sealing_key(secret: str) -> bytes:
    """What private keys are sealed with."""
    return secrets.derive(secret, "signing keys")


_KEYS_SQL = """
    select id, public_key, private_sealed, signs_from, ends_at
    from freehold.signing_keys
    where project_id = $1 and ends_at > now()
    order by signs_from desc, id
"""


async def _add(db: Queries, sealing: bytes, project_id: str, *, after_s: float) -> None:
    """Make a key, unless the project has one that is to sign for good: somebody else was first then."""
    key = ECKey.generate_key("P-256")
    await db.run(
        """
        insert into freehold.signing_keys (project_id, id, public_key, private_sealed, signs_from)
        select p.id, $2, $3, $4, now() + $5 * interval '1 second'
        from freehold.projects p
        where p.id = $1
        on conflict (project_id) where ends_at = 'infinity' do nothing
        """,
        project_id,
        key.thumbprint(),
        msgspec.json.encode(key.as_dict(private=False)),
        secrets.seal(sealing, msgspec.json.encode(key.as_dict(private=True)).decode()),
        after_s,
    )


# ------------------------------------------------------------------------------------------------------
# What the operator does


class KeyState(msgspec.Struct, frozen=True):
    """A signing key, and how far it is."""

    project: str
    key: str
    state: str
    """`waiting` is served and does not sign yet, `signing` does, `ending` did."""
    signs_from: datetime
    ends_at: datetime | None


async def states(db: Queries, project_ids: list[str]) -> list[KeyState]:
    """The keys of these projects, or of all of them, newest first."""
    rows = await db.rows(
        """
        select project_id, id,
               case
                   when signs_from > now() then 'waiting'
                   when signs_from = max(signs_from) filter (where signs_from <= now())
                       over (partition by project_id) then 'signing'
                   else 'ending'
               end,
               signs_from, nullif(ends_at, 'infinity')
        from freehold.signing_keys
        where ends_at > now() and ($1::text[] = '{}' or project_id = any ($1))
        order by project_id, signs_from desc, id
        """,
        project_ids,
    )
    return [KeyState(*row) for row in rows]


async def rotate(
    db: Database, settings: Settings, project_ids: list[str], *, revoke: bool = False
) -> list[KeyState]:
    """Have a new key follow the one of each of these projects, or of all that have one. Gives their keys.

    While a new key waits, no other is made. `revoke`: it signs at once, and nothing holds any more that
    others signed. Raises Refusal when there is no such project.
    """
    sealing = sealing_key(settings.secret)
    if not project_ids:
        rows = await db.rows("select distinct project_id from freehold.signing_keys order by 1")
        project_ids = [row[0] for row in rows]
    for project_id in project_ids:
        await _rotate(db, sealing, project_id, revoke=revoke)
    return await states(db, project_ids) if project_ids else []


async def _rotate(db: Database, sealing: bytes, project_id: str, *, revoke: bool) -> None:
    async with db.transaction() as transaction:
        found = await transaction.value(
            "select id from freehold.projects where id = $1 for no key update", project_id
        )
        if found is None:
            raise Refusal(f"There is no project {project_id}.")
        if revoke:
            await transaction.run("delete from freehold.signing_keys where project_id = $1", project_id)
            ahead_s = 0
        else:
            followed = await transaction.value(
                """
                update freehold.signing_keys set ends_at = now() + $2 * interval '1 second'
                where project_id = $1 and ends_at = 'infinity' and signs_from <= now()
                returning id
                """,
                project_id,
                _ENDS_S,
            )
            ahead_s = AHEAD_S if followed is not None else 0
        await _add(transaction, sealing, project_id, after_s=ahead_s)
        await events.announce(transaction, [keys_tag(project_id)])
