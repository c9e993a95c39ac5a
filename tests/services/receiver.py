"""Who is told by webhooks: a local server that keeps what it is told, and answers as it was asked to."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ARRIVES_S = 30.0


class Told(NamedTuple):
    """A request that has arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]

    @property
    def events(self) -> list[str]:
        return self.headers["X-Appwrite-Webhook-Events"].split(",")


class Receiver:
    """What has arrived, by the paths of the webhooks' URLs."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._told: list[Told] = []
        self.answers: dict[str, list[int]] = {}
        """By path, the statuses that are answered, one after the other; 200 when none is left."""
        self.endless: set[str] = set()
        """The paths where an answer has its status, and a body that never ends."""
        self.url = ""
        self.tls_url = ""
        """The same receiver over TLS, with a certificate that nobody but itself vouches for."""

    def at(self, path: str) -> list[Told]:
        """What has arrived at a path so far."""
        with self._arrived:
            return [each for each in self._told if each.path == path]

    def wait_for(self, path: str, count: int) -> list[Told]:
        """What has arrived at a path, once it is so much."""
        deadline = time.monotonic() + ARRIVES_S
        with self._arrived:
            while len(found := [each for each in self._told if each.path == path]) < count:
                assert self._arrived.wait(deadline - time.monotonic()), [each.events[0] for each in found]
        return found

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        with self._arrived:
            self._told.append(Told(request.path, dict(request.headers), body))
            self._arrived.notify_all()
            waiting = self.answers.get(request.path, [])
            status = waiting.pop(0) if waiting else 200
        if request.path in self.endless:
            answer = web.StreamResponse(status=status)
            await answer.prepare(request)
            with suppress(ConnectionError):
                while True:
                    await answer.write(b" " * 65_536)
            return answer
        return web.Response(status=status, headers={"Location": self.url + "/elsewhere"})


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver in a thread of its own."""
    receiver, loop, started = Receiver(), asyncio.new_event_loop(), threading.Event()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, max_field_size=8190, shutdown_timeout=1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own_certificate()).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        receiver.tls_url = f"https://127.0.0.1:{runner.addresses[1][1]}"
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def own_certificate() -> ssl.SSLContext:
    """What a server needs that has made its certificate itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM))
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context
