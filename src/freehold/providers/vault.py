"""The keys that files are encrypted with: each has its own, sealed by one of the installation's.

To change the installation's key is to seal the files' keys anew; the files themselves stay as they are.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freehold import secrets
from freehold.config import Settings
from freehold.providers.frames import KEY_BYTES

_NONCE_BYTES = 12


class KeyMissing(Exception):
    """The installation's key that sealed a file's is not there, or is another one under the same name."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(key_id)


class SealedKey(NamedTuple):
    """A file's key, as it is kept."""

    key_id: str
    """Which of the installation's keys sealed it."""
    sealed: bytes


class Vault:
    """The installation's keys: the one that seals, and those that still open."""

    def __init__(self, settings: Settings) -> None:
        derived = secrets.derive(settings.secret, "files")
        # Named after itself: an installation whose secret is another has no key of this name.
        own = f"secret-{secrets.digest(derived.hex()).hex()[:8]}"
        told = [each.partition(":") for each in settings.storage_keys]
        self._keys = {name: bytes.fromhex(key) for name, _, key in told}
        self.current = next(iter(self._keys), own)
        self._keys.setdefault(own, derived)

    def knows(self, key_id: str) -> bool:
        return key_id in self._keys

    def new_key(self, place: str) -> tuple[bytes, SealedKey]:
        """A key for the file at a place, open and sealed."""
        key = os.urandom(KEY_BYTES)
        return key, self.seal(key, place)

    def seal(self, key: bytes, place: str) -> SealedKey:
        """Seal a file's key with the current one."""
        nonce = os.urandom(_NONCE_BYTES)
        return SealedKey(
            self.current, nonce + AESGCM(self._keys[self.current]).encrypt(nonce, key, place.encode())
        )

    def open(self, key: SealedKey, place: str) -> bytes:
        """A file's key. Raises KeyMissing."""
        if key.key_id not in self._keys:
            raise KeyMissing(key.key_id)
        nonce, sealed = key.sealed[:_NONCE_BYTES], key.sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._keys[key.key_id]).decrypt(nonce, sealed, place.encode())
        except InvalidTag as error:
            raise KeyMissing(key.key_id) from error
