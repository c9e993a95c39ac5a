"""ClamAV: whether contents hold something that does harm, as `clamd` says (its INSTREAM command)."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import NamedTuple

TIMEOUT_S = 60.0
_ANSWER_BYTES = 4096


class ScannerProblem(Exception):
    """Nobody could say. The message says why, to the operator."""


class Verdict(NamedTuple):
    """What the scanner says."""

    infected_with: str = ""
    too_large: bool = False
    """It has more bytes than the scanner takes."""


class Scan:
    """One scan: bytes go in while they come, and in the end there is a verdict.

    Everything here blocks: call it in a thread.
    """

    def __init__(self, address: str) -> None:
        """Connect to `host:port`, or to a socket in the file system. Raises ScannerProblem."""
        try:
            if address.startswith("/"):
                self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._connection.settimeout(TIMEOUT_S)
                self._connection.connect(address)
            else:
                host, _, port = address.rpartition(":")
                self._connection = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_S)
            self._connection.sendall(b"zINSTREAM\0")
        except OSError as error:
            raise ScannerProblem(f"clamd cannot be reached at {address}") from error
        self._is_refused = False

    def take(self, part: bytes) -> None:
        """Send some bytes. Raises ScannerProblem."""
        if self._is_refused or not part:
            return
        try:
            self._connection.sendall(len(part).to_bytes(4, "big") + part)
        except (BrokenPipeError, ConnectionResetError):
            self._is_refused = True  # it has heard enough, and says why
        except OSError as error:
            raise ScannerProblem("clamd stopped taking what was sent") from error

    def verdict(self) -> Verdict:
        """What the scanner says of all of it. Raises ScannerProblem."""
        if not self._is_refused:
            with suppress(BrokenPipeError, ConnectionResetError):
                self._connection.sendall(bytes(4))
        answer = b""
        try:
            while part := self._connection.recv(_ANSWER_BYTES):
                answer += part
                if answer.endswith(b"\0") or len(answer) > _ANSWER_BYTES:
                    break
        except OSError as error:
            if not answer:
                raise ScannerProblem("clamd did not answer") from error
        return _read(answer.rstrip(b"\0\n").decode("utf-8", "replace"))

    def close(self) -> None:
        self._connection.close()


def _read(answer: str) -> Verdict:
    """Only what is said to be clean is clean. Raises ScannerProblem."""
    if answer == "stream: OK":
        return Verdict()
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return Verdict(infected_with=answer[len("stream: ") : -len(" FOUND")])
    if "size limit exceeded" in answer:
        return Verdict(too_large=True)
    raise ScannerProblem(f"clamd answered {answer[:200]!r}")
