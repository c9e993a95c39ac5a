"""Encrypted columns: texts are sealed on their way into PostgreSQL, and opened on their way out."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freehold import secrets
from freehold.errors import Problem

_FORM = "sealed1"
_NONCE_BYTES = 12


class SealBroken(Problem, type="general_server_error", status=500):
    """An encrypted value of `{key}` does not open. It was written under another secret of the installation,
    or changed since: start the server with the secret that it had then."""


class Seal:
    """What seals and opens the texts of one column: AES-256-GCM under a key that is the column's own.

    A sealed text is `sealed1.<key>.<nonce and ciphertext>`. It names the secret that its key comes from, so
    that there may be several one day; and it opens in its own column only.
    """

    def __init__(self, secret: str, entity_id: str, field_id: str, key: str) -> None:
        self._key = key
        self._place = f"{entity_id}.{field_id}"
        self._cipher = AESGCM(secrets.derive(secret, f"encrypted column {self._place}"))
        self._head = f"{_FORM}.{secrets.derive(secret, 'name of the key of columns').hex()[:8]}."

    def close(self, text: str) -> str:
        """Seal a text; the same text is sealed to another one each time."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), self._place.encode())
        return self._head + base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed. Raises SealBroken."""
        try:
            if not sealed.startswith(self._head):
                raise ValueError
            data = base64.urlsafe_b64decode(sealed[len(self._head) :])
            opened = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], self._place.encode())
            return opened.decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise SealBroken(key=self._key) from error
