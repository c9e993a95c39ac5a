"""A change of the installation's key: the files' own keys are sealed anew, and their contents stay."""

from __future__ import annotations

from typing import NamedTuple

from freehold.config import Settings, with_secret
from freehold.db.pool import Database
from freehold.providers.vault import KeyMissing, SealedKey, Vault
from freehold.services.storage import store

_AT_ONCE = 500


class Rewrapped(NamedTuple):
    """What became of the files whose keys one of the installation's keys had sealed."""

    key_id: str
    says: str
    is_known: bool
    """Whether all of them can be opened."""


async def rewrap(db: Database, settings: Settings) -> list[Rewrapped]:
    """Seal the keys of all files with the current key. One that is not there leaves its files as they are."""
    vault = Vault(with_secret(settings))
    done = []
    for key in await store.count_keys(db):
        key_id, files = key["key_id"], key["files"]
        if key_id == vault.current:
            done.append(Rewrapped(key_id, f"{files} files, and it is the current one", True))
        elif not vault.knows(key_id):
            says = f"{files} files CANNOT BE OPENED: add this key to FREEHOLD_STORAGE_KEYS"
            done.append(Rewrapped(key_id, says, False))
        else:
            done.append(await _rewrap_all_of(db, vault, key_id))
    return done


async def _rewrap_all_of(db: Database, vault: Vault, key_id: str) -> Rewrapped:
    rewrapped = lost = 0
    after = ""
    while True:
        async with db.transaction() as transaction:
            rows = await store.fetch_sealed(transaction, key_id, after, _AT_ONCE)
            places, sealed = [], []
            for row in rows:
                try:
                    opened = vault.open(SealedKey(key_id, row["sealed_key"]), row["place"])
                except KeyMissing:
                    lost += 1
                    continue
                places.append(row["place"])
                sealed.append(vault.seal(opened, row["place"]).sealed)
            await store.seal_anew(transaction, vault.current, places, sealed)
        rewrapped += len(places)
        if len(rows) < _AT_ONCE:
            break
        after = rows[-1]["place"]
    says = f"{rewrapped} files are sealed with {vault.current} now"
    if lost:
        says += f"; {lost} CANNOT BE OPENED: another key had this name when they were uploaded"
    return Rewrapped(key_id, says, not lost)
