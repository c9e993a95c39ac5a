"""Stands in for what storage is told to use outside: an S3 server, and a virus scanner."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every virus scanner finds, and nobody need fear."""


class Store:
    """An S3 server with a bucket, and what lies in it."""

    def __init__(self, port: int) -> None:
        # Of its own: all servers of a process have the same buckets.
        self._bucket = f"freehold-files-{port}"
        self.settings = {
            "FREEHOLD_S3_BUCKET": self._bucket,
            "FREEHOLD_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "FREEHOLD_S3_ACCESS_KEY": "stand-in",
            "FREEHOLD_S3_SECRET_KEY": "stand-in-secret",
        }
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=self.settings["FREEHOLD_S3_ENDPOINT"],
            aws_access_key_id="stand-in",
            aws_secret_access_key="stand-in-secret",
            region_name="us-east-1",
        )
        self._client.create_bucket(Bucket=self._bucket)

    def objects(self) -> dict[str, int]:
        """The paths of all objects, with their sizes."""
        found = self._client.list_objects_v2(Bucket=self._bucket).get("Contents", [])
        return {each["Key"]: each["Size"] for each in found}

    def read(self, path: str) -> bytes:
        contents: bytes = self._client.get_object(Bucket=self._bucket, Key=path)["Body"].read()
        return contents

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let the bucket not be there for a while."""
        kept = {path: self.read(path) for path in self.objects()}
        for path in kept:
            self._client.delete_object(Bucket=self._bucket, Key=path)
        self._client.delete_bucket(Bucket=self._bucket)
        try:
            yield
        finally:
            self._client.create_bucket(Bucket=self._bucket)
            for path, contents in kept.items():
                self._client.put_object(Bucket=self._bucket, Key=path, Body=contents)


@contextmanager
def running_store() -> Iterator[Store]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield Store(server.get_host_and_port()[1])
    finally:
        server.stop()


class Scanner(socketserver.ThreadingTCPServer):
    """A clamd that knows one virus, and takes no stream of more than `most` bytes."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Scan)
        self.most = 12 * 1024 * 1024
        self.is_away = False
        """Whether it hangs up without a word."""
        self.scanned: list[int] = []
        """How many bytes each scan had."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Scan(socketserver.StreamRequestHandler):
    server: Scanner

    def handle(self) -> None:
        if self.server.is_away:
            return
        command = b""
        while not command.endswith(b"\0"):
            if not (letter := self.rfile.read(1)):
                return
            command += letter
        if command != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        seen = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            seen += self.rfile.read(length)
        self.server.scanned.append(len(seen))
        if len(seen) > self.server.most:
            self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
        else:
            self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in seen else b"stream: OK\0")


@contextmanager
def running_scanner(port: int = 0) -> Iterator[Scanner]:
    scanner = Scanner(port)
    thread = threading.Thread(target=scanner.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield scanner
    finally:
        scanner.shutdown()
        scanner.server_close()
        thread.join()
