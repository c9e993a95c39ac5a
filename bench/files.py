"""`python -m bench.files`: uploads, downloads and previews, beside nginx where there is one.

Uploads are sent as SDKs do: in parts of 5 MiB, the first alone, then eight at a time. nginx is asked for the
same file, and is sent it (PUT, whole); unlike the platform it neither waits for the disk nor computes an MD5.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image

from bench import installation
from bench.document import publish, verdict

PART = 5 * 1024 * 1024
AT_ONCE = 8
THROWN_AWAY = 2
"""Rounds of each kind before the measuring, in which connections are made and statements prepared."""
PHOTO = (4000, 3000)
RECEIVING, SERVING = "nginx receiving", "nginx serving"
LEAST_OF_NGINX = 0.5
BUCKET = "bench-files"
TIMEOUT_S = 120.0
_CUT = "0123456789abcdef" * 2
"""What parts of a form are cut with: as long as clients have it."""


def main() -> int:
    options = _options()
    whole = os.urandom(options.megabytes * 1024 * 1024)
    took: dict[str, list[float]] = {}
    with (
        installation.running() as at,
        httpx.Client(base_url=at.endpoint, headers=at.headers, timeout=TIMEOUT_S) as client,
        _Uploads(at.endpoint, at.headers) as uploads,
    ):
        for encryption in (False, True):
            client.delete(f"/storage/buckets/{BUCKET}")
            kind = "encrypted" if encryption else "plain"
            body = {"bucketId": BUCKET, "name": "Bench", "encryption": encryption, "maximumFileSize": 10**9}
            client.post("/storage/buckets", json=body).raise_for_status()
            took[f"upload {kind}"] = _upload_times(client, uploads, whole, options.rounds)
            url = f"/storage/buckets/{BUCKET}/files/{uploads.send(whole)}/download"
            took[f"download {kind}"] = _times(options.rounds, partial(_drain, client, url))
        took |= _previews(client, uploads, options.rounds)
    if nginx := shutil.which("nginx"):
        with _running_nginx(nginx, whole) as url, httpx.Client(timeout=TIMEOUT_S) as client:
            took[RECEIVING] = _times(options.rounds, lambda: _put(url, whole))
            took[SERVING] = _times(options.rounds, lambda: _drain(client, f"{url}/whole"))
    else:
        sys.stderr.write("bench: there is no nginx to compare with. Install it (Debian: nginx-light).\n")
    publish("bench.files", "\n".join(_table(took, len(whole), options.rounds)), written=options.write)
    return 0


def _table(took: dict[str, list[float]], size: int, rounds: int) -> Iterator[str]:
    yield (
        f"A file of {size >> 20} MiB, in parts as SDKs send it, and a photo of 12 megapixels: the median of"
        f" {rounds} rounds, after {THROWN_AWAY} that are thrown away. The client has the processor with the"
        " server. nginx neither waits for the disk nor computes an MD5, which the platform has to tell."
    )
    yield ""
    yield "| | ms | MiB/s | beside nginx serving it | target | | beside nginx receiving it |"
    yield "|---|---|---|---|---|---|---|"
    medians = {what: statistics.median(each) for what, each in took.items()}
    for what, seconds in medians.items():
        is_photo = what.startswith("preview")
        serving, receiving = (
            medians[one] / seconds if one in medians else None for one in (SERVING, RECEIVING)
        )
        counts = not is_photo and what not in (SERVING, RECEIVING)
        cells = [
            what,
            f"{seconds * 1000:.1f}",
            "" if is_photo else f"{size / seconds / 1024**2:.0f}",
            f"**{serving:.2f}x**" if counts and serving else "not measured" if counts else "",
            f"at least {LEAST_OF_NGINX:g}x" if counts else "",
            verdict(serving, LEAST_OF_NGINX, at_most=False) if counts and serving else "",
            f"{receiving:.2f}x" if what.startswith("upload") and receiving else "",
        ]
        yield f"| {' | '.join(cells)} |"


def _previews(client: httpx.Client, uploads: _Uploads, rounds: int) -> dict[str, list[float]]:
    """A photo of 12 megapixels in another size: made, and made before."""
    buffer = BytesIO()
    Image.frombytes("RGB", PHOTO, os.urandom(PHOTO[0] * 3) * PHOTO[1]).save(buffer, "JPEG", quality=85)
    file_id = uploads.send(buffer.getvalue(), name="photo.jpg")
    url = f"/storage/buckets/{BUCKET}/files/{file_id}/preview?output=webp&height=300&width="
    widths = iter(range(400, 401 + THROWN_AWAY + rounds))
    _drain(client, f"{url}{next(widths)}")  # which also starts the process that makes them
    return {
        "preview made": _times(rounds, lambda: _drain(client, f"{url}{next(widths)}")),
        "preview that was made before": _times(rounds, lambda: _drain(client, f"{url}400")),
    }


class _Uploads:
    """Sends files with as little work of its own as can be, for it has the processor with the server."""

    def __init__(self, endpoint: str, headers: dict[str, str]) -> None:
        url = urlsplit(endpoint)
        assert url.hostname
        self._path = f"{url.path}/storage/buckets/{BUCKET}/files"
        self._headers = headers
        self._idle: SimpleQueue[HTTPConnection] = SimpleQueue()
        self._connections = [
            HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_S) for _ in range(AT_ONCE)
        ]
        for each in self._connections:
            self._idle.put(each)
        self._threads = ThreadPoolExecutor(AT_ONCE)

    def __enter__(self) -> _Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        for each in self._connections:
            each.close()

    def send(self, whole: bytes, *, name: str = "whole.bin") -> str:
        """Upload a file. Gives its id."""
        file_id = self._send_part(whole, 0, name, "")
        rest = range(PART, len(whole), PART)
        list(self._threads.map(lambda start: self._send_part(whole, start, name, file_id), rest))
        return file_id

    def _send_part(self, whole: bytes, start: int, name: str, file_id: str) -> str:
        part = memoryview(whole)[start : start + PART]
        head = (
            f'--{_CUT}\r\nContent-Disposition: form-data; name="fileId"\r\n\r\nunique()\r\n'
            f'--{_CUT}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        ).encode()
        tail = f"\r\n--{_CUT}--\r\n".encode()
        headers = {
            **self._headers,
            "Content-Type": f"multipart/form-data; boundary={_CUT}",
            "Content-Length": str(len(head) + len(part) + len(tail)),
            "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(whole)}",
            **({"X-Appwrite-ID": file_id} if file_id else {}),
        }
        connection = self._idle.get()
        try:
            connection.request("POST", self._path, body=[head, part, tail], headers=headers)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            self._idle.put(connection)
        if answer.status != 201:
            raise SystemExit(f"The upload was answered with {answer.status}: {told[:500]!r}")
        return str(json.loads(told)["$id"])


def _put(url: str, whole: bytes) -> None:
    address = urlsplit(url)
    assert address.hostname
    connection = HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
    connection.request("PUT", "/sent", body=whole)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status not in (201, 204):
        raise SystemExit(f"nginx answered {answer.status}.")


def _drain(client: httpx.Client, url: str) -> None:
    with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw(1 << 20):
            pass


def _upload_times(client: httpx.Client, uploads: _Uploads, whole: bytes, rounds: int) -> list[float]:
    # Each is deleted before the next is sent, as nginx puts the next in the place of the last: so neither
    # asks the system for memory for its cache that nothing had before.
    def delete(file_id: str) -> None:
        client.delete(f"/storage/buckets/{BUCKET}/files/{file_id}").raise_for_status()

    return _times(rounds, lambda: uploads.send(whole), after=delete)


def _times(
    rounds: int, once: Callable[[], Any], *, after: Callable[[Any], object] = lambda _: None
) -> list[float]:
    took = []
    for _ in range(THROWN_AWAY + rounds):
        began = time.perf_counter()
        done = once()
        took.append(time.perf_counter() - began)
        after(done)
    return took[THROWN_AWAY:]


@contextmanager
def _running_nginx(nginx: str, whole: bytes) -> Iterator[str]:
    """nginx on loopback with the same bytes. Gives its URL."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        Path(folder).chmod(0o777)  # its worker, which may be of another user, puts files there
        Path(folder, "whole").write_bytes(whole)
        config = Path(folder, "nginx.conf")
        config.write_text(
            f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; events {{}}"
            f" http {{ access_log off; sendfile on; client_max_body_size 0;"
            f" client_body_temp_path {folder}/body;"
            f" server {{ listen 127.0.0.1:{port}; root {folder}; dav_methods PUT; }} }}"
        )
        process = subprocess.Popen([nginx, "-c", str(config), "-p", folder])
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("nginx did not start.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.files", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50, choices=range(6, 501), metavar="6..500")
    parser.add_argument("--rounds", type=int, default=9, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
