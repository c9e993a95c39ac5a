"""Uploads, downloads and previews of a platform that runs, beside nginx where there is one.

    freehold up &
    python -m bench.files --endpoint http://127.0.0.1:8080/v1 --project default --key KEY

Prints a line of JSON for each measurement: the median of so many rounds.
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
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

PART = 5 * 1024 * 1024
PHOTO = (4000, 3000)
BUCKET = "bench-files"
TIMEOUT_S = 120.0


def main() -> int:
    options = _options()
    whole = os.urandom(options.megabytes * 1024 * 1024)
    headers = {"X-Appwrite-Project": options.project, "X-Appwrite-Key": options.key}
    with httpx.Client(base_url=options.endpoint, headers=headers, timeout=TIMEOUT_S) as client:
        for encryption in (False, True):
            client.delete(f"/storage/buckets/{BUCKET}")
            body = {"bucketId": BUCKET, "name": "Bench", "encryption": encryption, "maximumFileSize": 10**9}
            client.post("/storage/buckets", json=body).raise_for_status()
            kind = "encrypted" if encryption else "plain"
            took = _median(options.rounds, lambda: _upload(client, whole))
            _say(f"upload {kind}", took, len(whole))
            file_id = _upload(client, whole)
            url = f"/storage/buckets/{BUCKET}/files/{file_id}/download"
            took = _median(options.rounds, lambda url=url: _drain(client, url))  # type: ignore[misc]
            _say(f"download {kind}", took, len(whole))
        _previews(client, options.rounds)
        client.delete(f"/storage/buckets/{BUCKET}")
    nginx = shutil.which("nginx")
    if nginx is None:
        sys.stderr.write("There is no nginx to compare with. Install it (Debian: nginx-light).\n")
        return 0
    with _running_nginx(nginx, whole) as url, httpx.Client(timeout=TIMEOUT_S) as client:
        _say("download nginx", _median(options.rounds, lambda: _drain(client, f"{url}/whole")), len(whole))
    return 0


def _previews(client: httpx.Client, rounds: int) -> None:
    """A photo of 12 megapixels in another size: made, and made before."""
    buffer = BytesIO()
    Image.frombytes("RGB", PHOTO, os.urandom(PHOTO[0] * 3) * PHOTO[1]).save(buffer, "JPEG", quality=85)
    file_id = _upload(client, buffer.getvalue(), name="photo.jpg")
    url = f"/storage/buckets/{BUCKET}/files/{file_id}/preview?output=webp&height=300&width="
    widths = iter(range(400, 400 + rounds + 1))
    _drain(client, f"{url}{next(widths)}")  # which also starts the process that makes them
    _say("preview 12 MP made", _median(rounds, lambda: _drain(client, f"{url}{next(widths)}")))
    _say("preview 12 MP kept", _median(rounds, lambda: _drain(client, f"{url}400")))


def _upload(client: httpx.Client, whole: bytes, *, name: str = "whole.bin") -> str:
    """Upload as SDKs do, a part after the other. Gives the id."""
    file_id = "unique()"
    for start in range(0, len(whole), PART):
        part = whole[start : start + PART]
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(whole)}"}
        if start:
            headers["X-Appwrite-ID"] = file_id
        answer = client.post(
            f"/storage/buckets/{BUCKET}/files",
            data={"fileId": file_id if not start else "unique()"},
            files={"file": (name, part)},
            headers=headers,
        )
        answer.raise_for_status()
        file_id = answer.json()["$id"]
    return file_id


def _drain(client: httpx.Client, url: str) -> None:
    with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw(1 << 20):
            pass


def _median(rounds: int, once: Callable[[], object]) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        once()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _say(what: str, took_s: float, size: int = 0) -> None:
    told: dict[str, object] = {"what": what, "median_ms": round(took_s * 1000, 2)}
    if size:
        told["mib_per_s"] = round(size / took_s / 1024**2, 1)
    print(json.dumps(told), flush=True)


@contextmanager
def _running_nginx(nginx: str, whole: bytes) -> Iterator[str]:
    """nginx on loopback with the same bytes. Gives its URL."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        Path(folder).chmod(0o755)
        Path(folder, "whole").write_bytes(whole)
        config = Path(folder, "nginx.conf")
        config.write_text(
            f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; events {{}}"
            f" http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
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
    parser.add_argument("--endpoint", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--project", required=True)
    parser.add_argument("--key", required=True, help="An API key with buckets.* and files.*.")
    parser.add_argument("--megabytes", type=int, default=50, choices=range(6, 501), metavar="6..500")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 101), metavar="1..100")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
