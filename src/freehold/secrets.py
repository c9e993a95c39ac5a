"""Secrets: making, digesting and sealing them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def new_secret(characters: int) -> str:
    """Make a random secret of so many hex digits."""
    return secrets.token_hex((characters + 1) // 2)[:characters]


def digest(secret: str) -> bytes:
    """Digest a secret of high entropy for storage and look-up (SHA-256, 32 bytes)."""
    return hashlib.sha256(secret.encode()).digest()


def derive(master: str, purpose: str) -> bytes:
    """Derive a 32-byte key for one purpose from the installation's secret."""
    return hmac.new(master.encode(), purpose.encode(), hashlib.sha256).digest()


def seal(key: bytes, secret: str) -> bytes:
    """Encrypt a secret that has to be shown again (AES-256-GCM; the nonce stands in front)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), None)


def unseal(key: bytes, sealed: bytes) -> str | None:
    """Decrypt what `seal` made; None when it was sealed by another installation's secret."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except InvalidTag:
        return None
