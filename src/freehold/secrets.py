"""Secrets: making, digesting, sealing and comparing them, and hashing passwords off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
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


# OWASP's second choice for Argon2id: 7 MiB, 5 passes, 1 lane. The reference uses the same.
_hasher = PasswordHasher(memory_cost=7168, time_cost=5, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """Hash a password with Argon2id, off the event loop, two at a time."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def password_matches(password: str, hashed: str | None) -> bool:
    """Tell whether the password is the hashed one. Takes as long when there is no hash to compare."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _matches, password, hashed)


def _matches(password: str, hashed: str | None) -> bool:
    if hashed is None:
        _hasher.hash(password)
        return False
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
