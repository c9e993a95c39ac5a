"""Hashes of other systems, each against a vector that somebody else has published."""

from __future__ import annotations

from collections.abc import Callable

import bcrypt
import pytest

from freehold.passwords import formats

SHA_OF_ABC = {
    "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha224": "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7",
    "sha512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "sha512/224": "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    "sha512/256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "sha3-224": "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    "sha3-256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "sha3-384": "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
    "98d88cea927ac7f539f1edf228376d25",
    "sha3-512": "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
    "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}  # FIPS 180-4 and 202

VECTORS = {
    # the tests of the Argon2 reference implementation
    "argon2i": (
        formats.argon2_hash(
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"
        ),
        "password",
    ),
    "argon2id": (
        formats.argon2_hash(
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        ),
        "password",
    ),
    # crypt_blowfish
    "bcrypt": (formats.bcrypt_hash("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), "U*U"),
    # the tests of phpass
    "phpass": (formats.phpass_hash("$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"), "test12345"),
    # RFC 1321
    "md5": (formats.md5_hash("F96B697D7CB7938D525A2F31AAF161D0"), "message digest"),
    # RFC 7914
    "scrypt": (
        formats.scrypt_hash(
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
            salt="SodiumChloride",
            cpu=16384,
            memory=8,
            parallel=1,
            length=64,
        ),
        "pleaseletmein",
    ),
    # github.com/firebase/scrypt
    "scrypt-modified": (
        formats.scrypt_modified_hash(
            "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
            salt="42xEC+ixf3L2lw==",
            separator="Bw==",
            signer_key="jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        ),
        "user1password",
    ),
    **{name: (formats.sha_hash(text, name), "abc") for name, text in SHA_OF_ABC.items()},
}


@pytest.mark.parametrize(("kept", "password"), VECTORS.values(), ids=VECTORS)
def test_a_published_hash_is_of_its_password_alone(kept: str, password: str) -> None:
    read = formats.read(kept)

    assert formats.matches(read, password)
    for other in (password + "x", password[:-1], password.upper() + "!", "", kept):
        assert not formats.matches(read, other)


def test_bcrypt_never_saw_more_than_72_bytes_so_neither_do_its_hashes_here() -> None:
    kept = formats.read(bcrypt.hashpw(b"e" * 72, bcrypt.gensalt(4)).decode())

    assert formats.matches(kept, "e" * 500)
    assert not formats.matches(kept, "e" * 71)
    assert not formats.matches(kept, "with \0 in it")


UNUSABLE = {
    "not of its format": lambda: formats.argon2_hash("hunter2"),
    "4 GiB": lambda: formats.argon2_hash(
        "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    ),
    "a day": lambda: formats.bcrypt_hash("$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    "cut off": lambda: formats.bcrypt_hash("$2a$05$CCCC"),
    "2 to the 30": lambda: formats.phpass_hash("$P$SIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    "not hexadecimal": lambda: formats.md5_hash("g" * 32),
    "of another length": lambda: formats.sha_hash("ab" * 20, "sha256"),
    "no power of two": lambda: formats.scrypt_hash(
        "ab" * 64, salt="", cpu=15000, memory=8, parallel=1, length=64
    ),
    "16 GiB": lambda: formats.scrypt_hash(
        "ab" * 64, salt="", cpu=2**24, memory=8, parallel=1, length=64
    ),
    "not base64": lambda: formats.scrypt_modified_hash("AA==", salt="$,=", separator="", signer_key="AA=="),
}  # fmt: skip


@pytest.mark.parametrize("take_over", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_hash_or_takes_too_much_to_check_is_refused(take_over: Callable[[], str]) -> None:
    with pytest.raises(formats.UnusableHash):
        take_over()
