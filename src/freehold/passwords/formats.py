"""The ways in which passwords are hashed elsewhere, so that users can move here without choosing new ones.

Hashes of Argon2, bcrypt and PHPass say their parameters themselves, and are kept as they came. The others are
kept as `$format$parameters$hash`, with parameters such as `n=16384,r=8`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import argon2
import bcrypt as _bcrypt
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ShaVersion = Literal[
    "sha1", "sha224", "sha256", "sha384", "sha512/224", "sha512/256", "sha512", "sha3-224", "sha3-256",
    "sha3-384", "sha3-512",
]  # fmt: skip


class UnusableHash(ValueError):
    """It is no hash of its format, or checking it would take too much. The message says what is wrong."""


class Kept(NamedTuple):
    """A hash as it is kept, taken apart."""

    format: str
    options: Mapping[str, str]
    hash: str
    """As it came, but for letters of hexadecimal digits, which are small."""


# -- taking over -------------------------------------------------------------------------------------------

# What a single check may take: about two seconds, and 256 MiB.
_MOST_KIB = 2**18
_MOST_KIB_PASSES = 2**21
_MOST_BCRYPT_ROUNDS = 15
_MOST_PHPASS_ROUNDS = 19


def argon2_hash(text: str) -> str:
    """A hash of Argon2i, Argon2d or Argon2id as PHP and libsodium write it. Raises UnusableHash."""
    try:
        parameters = argon2.extract_parameters(text)
    except InvalidHashError as error:
        raise UnusableHash("It has to look like $argon2id$v=19$m=65536,t=3,p=4$salt$hash.") from error
    memory, passes = parameters.memory_cost, parameters.time_cost
    if memory > _MOST_KIB or memory * passes > _MOST_KIB_PASSES or parameters.parallelism > 64:
        raise UnusableHash("Checking it would take more than 256 MiB, or more than about two seconds.")
    return text


def bcrypt_hash(text: str) -> str:
    """A hash of bcrypt. Raises UnusableHash."""
    found = re.fullmatch(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}", text)
    if found is None:
        raise UnusableHash("It has to look like $2y$10$, with 53 characters behind.")
    if not 4 <= int(found[1]) <= _MOST_BCRYPT_ROUNDS:
        raise UnusableHash(f"Its cost has to be 4 to {_MOST_BCRYPT_ROUNDS}.")
    return text


def phpass_hash(text: str) -> str:
    """A portable hash of PHPass, as WordPress and phpBB have them. Raises UnusableHash."""
    if re.fullmatch(r"\$[PH]\$[./0-9A-Za-z]{31}", text) is None:
        raise UnusableHash("It has to look like $P$ or $H$, with 31 characters behind.")
    if not 7 <= _PHPASS_ALPHABET.index(text[3]) <= _MOST_PHPASS_ROUNDS:
        raise UnusableHash(f"Its cost has to be 7 to {_MOST_PHPASS_ROUNDS}.")
    return text


def md5_hash(text: str) -> str:
    """A plain MD5 in hexadecimal digits. Raises UnusableHash."""
    return f"$md5$${_hex(text, 16)}"


def sha_hash(text: str, version: ShaVersion) -> str:
    """A plain SHA in hexadecimal digits. Raises UnusableHash."""
    return f"$sha$v={version}${_hex(text, _sha(version, b'').digest_size)}"


def scrypt_hash(text: str, *, salt: str, cpu: int, memory: int, parallel: int, length: int) -> str:
    """A hash of scrypt in hexadecimal digits, of a salt that is text. Raises UnusableHash."""
    if not 1 < cpu <= 2**24 or cpu & (cpu - 1) or not 0 < memory <= 2**16 or not 0 < parallel <= 64:
        raise UnusableHash("The CPU cost has to be a power of two from 2; memory and parallel at least 1.")
    kib = cpu * memory // 8
    if kib > _MOST_KIB or kib * parallel > _MOST_KIB_PASSES:
        raise UnusableHash("Checking it would take more than 256 MiB, or more than about two seconds.")
    if not 8 <= length <= 128:
        raise UnusableHash("The length has to be 8 to 128 bytes.")
    return f"$scrypt$n={cpu},r={memory},p={parallel},l={length},s={_encoded(salt)}${_hex(text, length)}"


def scrypt_modified_hash(text: str, *, salt: str, separator: str, signer_key: str) -> str:
    """A hash of Firebase's scrypt. All are in base64, as Firebase exports them. Raises UnusableHash."""
    for name, value in (
        ("password", text), ("salt", salt), ("salt separator", separator), ("signer key", signer_key),
    ):  # fmt: skip
        if not _unbase64(value) and name != "salt separator":
            raise UnusableHash(f"The {name} has to be base64.")
    return f"$scrypt-modified$s={salt},b={separator},k={signer_key}${text}"


def _hex(text: str, size: int) -> str:
    if re.fullmatch(rf"[0-9a-fA-F]{{{size * 2}}}", text) is None:
        raise UnusableHash(f"It has to be {size * 2} hexadecimal digits.")
    return text.lower()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _unbase64(text: str) -> bytes:
    """What it says; nothing when it is none."""
    try:
        return base64.b64decode(text, altchars=b"-_" if {"-", "_"} & set(text) else None, validate=True)
    except (binascii.Error, ValueError):
        return b""


# -- reading and checking ----------------------------------------------------------------------------------


def read(kept: str) -> Kept:
    """Take a kept hash apart. Raises UnusableHash when it is of no format."""
    if kept.startswith("$argon2"):
        found = argon2.extract_parameters(kept)
        options = {"m": str(found.memory_cost), "t": str(found.time_cost), "p": str(found.parallelism)}
        return Kept("argon2", options, kept)
    if kept.startswith("$2"):
        return Kept("bcrypt", {}, kept)
    if kept.startswith(("$P$", "$H$")):
        return Kept("phpass", {}, kept)
    try:
        _, name, parameters, text = kept.split("$", 3)
    except ValueError as error:
        raise UnusableHash("It is of no format.") from error
    pairs = (pair.partition("=") for pair in parameters.split(",") if pair)
    return Kept(name, {key: value for key, _, value in pairs}, text)


def matches(kept: Kept, password: str) -> bool:
    """Tell whether the password is the one that was hashed."""
    return _CHECKS[kept.format](kept, password.encode())


def _argon2_matches(kept: Kept, password: bytes) -> bool:
    try:
        return argon2.PasswordHasher().verify(kept.hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _bcrypt_matches(kept: Kept, password: bytes) -> bool:
    # bcrypt has never looked further than 72 bytes, so the system that the hash comes from did not either.
    try:
        return _bcrypt.checkpw(password[:72], kept.hash.encode())
    except ValueError:  # a password with U+0000 in it
        return False


def _phpass_matches(kept: Kept, password: bytes) -> bool:
    rounds, salt = 1 << _PHPASS_ALPHABET.index(kept.hash[3]), kept.hash[4:12].encode()
    state = hashlib.md5(salt + password, usedforsecurity=False).digest()
    for _ in range(rounds):
        state = hashlib.md5(state + password, usedforsecurity=False).digest()
    return hmac.compare_digest(kept.hash[12:], _phpass_text(state))


_PHPASS_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _phpass_text(data: bytes) -> str:
    """Three bytes are four characters, the lowest six bits first."""
    text = []
    for at in range(0, len(data), 3):
        part = data[at : at + 3]
        bits = int.from_bytes(part, "little")
        text += [_PHPASS_ALPHABET[bits >> 6 * place & 63] for place in range(len(part) + 1)]
    return "".join(text)


def _md5_matches(kept: Kept, password: bytes) -> bool:
    return hmac.compare_digest(kept.hash, hashlib.md5(password, usedforsecurity=False).hexdigest())


def _sha_matches(kept: Kept, password: bytes) -> bool:
    return hmac.compare_digest(kept.hash, _sha(kept.options["v"], password).hexdigest())


def _sha(version: str, data: bytes) -> hashlib._Hash:
    return hashlib.new(version.replace("/", "_").replace("-", "_"), data, usedforsecurity=False)


def _scrypt_matches(kept: Kept, password: bytes) -> bool:
    options = kept.options
    salt = base64.b64decode(options["s"])
    cost = {"n": int(options["n"]), "r": int(options["r"]), "p": int(options["p"])}
    return hmac.compare_digest(kept.hash, _scrypt(password, salt, length=int(options["l"]), **cost).hex())


def _scrypt_modified_matches(kept: Kept, password: bytes) -> bool:
    options = kept.options
    salt = _unbase64(options["s"]) + _unbase64(options["b"])
    key = _scrypt(password, salt, n=2**14, r=8, p=1, length=64)[:32]
    encrypt = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    signed = encrypt.update(_unbase64(options["k"])) + encrypt.finalize()
    return hmac.compare_digest(_unbase64(kept.hash), signed)


def _scrypt(password: bytes, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    most = 128 * r * (n + p + 2) + 2**16
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=length)


_CHECKS: dict[str, Callable[[Kept, bytes], bool]] = {
    "argon2": _argon2_matches,
    "bcrypt": _bcrypt_matches,
    "phpass": _phpass_matches,
    "md5": _md5_matches,
    "sha": _sha_matches,
    "scrypt": _scrypt_matches,
    "scrypt-modified": _scrypt_modified_matches,
}
