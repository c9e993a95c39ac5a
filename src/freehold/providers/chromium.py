"""Pages as they look in a browser: each in a Chromium of its own, which begins and ends with nothing.

It is told what to do over two pipes, in the words of the DevTools protocol, and has no network but the
guarded proxy.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from freehold.providers.guarded_proxy import GuardedProxy
from freehold.providers.outside import ForbiddenTarget, Outside

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome-headless-shell")
"""What Chromium is called where it is installed."""
MAX_PIXELS = 32_000_000
"""A long page is shown down to where a picture would have more."""
MAX_WAITING = 4
"""So many callers of a process wait for a picture at most."""
TIMEOUT_S = 45.0
"""For all of a picture, without what the caller wants to wait."""
_LOAD_S = 15.0
"""A page that has not loaded by then is shown as far as it has."""
_MEMORY_BYTES = 1024**3
_MEMORY_LOOKED_AT_S = 0.5
_MESSAGE_BYTES = 256 * 1024**2

_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    # Nothing but the proxy is spoken to: no names are resolved here, and nothing goes by UDP.
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-features=DnsOverHttps,MediaRouter,OptimizationHints,Translate,WebRtcHideLocalIpsWithMdns",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--disable-breakpad",
    "--disable-extensions",
    "--block-new-web-contents",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    "--use-mock-keychain",
    "--js-flags=--max-old-space-size=256",
    "--renderer-process-limit=4",
)
_PERMISSIONS = {
    "geolocation": "geolocation",
    "camera": "videoCapture",
    "microphone": "audioCapture",
    "notifications": "notifications",
    "midi": "midi",
    "clipboard-read": "clipboardReadWrite",
    "clipboard-write": "clipboardSanitizedWrite",
    "payment-handler": "paymentHandler",
    "accelerometer": "sensors",
    "gyroscope": "sensors",
    "magnetometer": "sensors",
    "ambient-light-sensor": "sensors",
    "background-sync": "backgroundSync",
    "persistent-storage": "durableStorage",
    "screen-wake-lock": "wakeLockScreen",
}
"""What a page may be allowed beforehand; for the others somebody would have to choose a device."""
# A page could send to addresses with this that no proxy sees.
_WITHOUT_WEBRTC = (
    "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) delete globalThis[name];"
)

_log = structlog.get_logger("freehold.chromium")


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """What page is wanted, and how it is looked at."""

    url: str
    headers: Mapping[str, str] = {}
    """Sent to the page's own origin, and to no other."""
    width: int = 1280
    height: int = 720
    scale: float = 1.0
    dark: bool = False
    user_agent: str = ""
    full_page: bool = False
    locale: str = ""
    timezone: str = ""
    position: tuple[float, float, float] | None = None
    """Latitude, longitude, and how exact they are in metres."""
    touch: bool = False
    permissions: tuple[str, ...] = ()
    sleep_s: int = 0
    """How long to wait after the page has loaded."""


class ShotProblem(Exception):
    """There is no picture; the message says why."""


class BrowserMissing(ShotProblem):
    """There is no Chromium."""


class BrowserFailed(ShotProblem):
    """Chromium did not start, or ended, or took too much memory or time."""


class BrowserBusy(ShotProblem):
    """Too many are waiting."""


class PageFailed(ShotProblem):
    """The page could not be read."""


class Chromium:
    """Takes pictures of pages, one after the other."""

    def __init__(self, outside: Outside, *, path: str = "", sandbox: bool = True) -> None:
        """`path` is where Chromium is; without it, it is looked for by its usual names."""
        self._outside = outside
        self._path = path
        self._sandbox = sandbox
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, shot: Shot) -> bytes:
        """The page as a PNG. Raises ForbiddenTarget for one that is inside, and ShotProblem."""
        self._outside.check(shot.url)
        path = self._path or next(filter(None, map(shutil.which, NAMES)), None)
        if path is None or not os.access(path, os.X_OK):
            raise BrowserMissing(path or "")
        if self._waiting >= MAX_WAITING:
            raise BrowserBusy()
        self._waiting += 1
        try:
            async with self._turn:
                return await self._taken(path, shot)
        finally:
            self._waiting -= 1

    async def _taken(self, path: str, shot: Shot) -> bytes:
        proxy = GuardedProxy(self._outside)
        await proxy.start()
        profile = await asyncio.to_thread(tempfile.mkdtemp, prefix="freehold-chromium-")
        try:
            async with (
                asyncio.timeout(TIMEOUT_S + shot.sleep_s),
                _Browser(path, self._flags(proxy, profile), Path(profile, "said")) as browser,
            ):
                return await _picture(browser, shot)
        except TimeoutError as error:
            raise BrowserFailed("it took too long") from error
        except PageFailed:
            host = urlsplit(shot.url).hostname or ""
            for refused, reason in proxy.refused.items():
                _log.info("page_led_inside", host=host, refused=refused)
                raise ForbiddenTarget(reason) from None
            raise
        finally:
            await proxy.close()
            await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)

    def _flags(self, proxy: GuardedProxy, profile: str) -> list[str]:
        return [
            *_FLAGS,
            *(() if self._sandbox else ("--no-sandbox",)),
            f"--proxy-server=http://127.0.0.1:{proxy.port}",
            f"--user-data-dir={profile}",
        ]


async def _picture(browser: _Browser, shot: Shot) -> bytes:
    await browser.ask("Browser.setDownloadBehavior", behavior="deny")
    target = await browser.ask("Target.createTarget", url="about:blank")
    attached = await browser.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    browser.has_page(attached["sessionId"])
    await _looked_at_as(browser, shot)
    loaded = browser.coming("Page.loadEventFired")
    navigated = await browser.ask("Page.navigate", url=shot.url)
    if navigated.get("errorText"):
        raise PageFailed(navigated["errorText"].removeprefix("net::"))
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOAD_S):
            await loaded
    await asyncio.sleep(shot.sleep_s)
    said: dict[str, Any] = {}
    if shot.full_page:
        page = (await browser.ask("Page.getLayoutMetrics"))["cssContentSize"]
        width, height = max(1, page["width"]), max(1, page["height"])
        width = min(width, MAX_PIXELS / shot.scale**2)
        height = max(1, min(height, MAX_PIXELS // (width * shot.scale**2)))
        said = {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        }
    shown = await browser.ask("Page.captureScreenshot", format="png", optimizeForSpeed=True, **said)
    return base64.b64decode(shown["data"])


async def _looked_at_as(browser: _Browser, shot: Shot) -> None:
    """Make the browser the one that the caller wants to look with."""
    ask = browser.ask
    await ask("Page.enable")
    await ask("Page.addScriptToEvaluateOnNewDocument", source=_WITHOUT_WEBRTC)
    await ask(
        "Emulation.setDeviceMetricsOverride",
        width=shot.width,
        height=shot.height,
        deviceScaleFactor=shot.scale,
        mobile=False,
    )
    theme = {"name": "prefers-color-scheme", "value": "dark" if shot.dark else "light"}
    await ask("Emulation.setEmulatedMedia", features=[theme])
    if shot.touch:
        await ask("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=5)
    if shot.user_agent or shot.locale:
        own = (await ask("Browser.getVersion"))["userAgent"]
        told = {"acceptLanguage": shot.locale} if shot.locale else {}
        await ask("Emulation.setUserAgentOverride", userAgent=shot.user_agent or own, **told)
    if shot.locale:
        await ask("Emulation.setLocaleOverride", locale=shot.locale)
    if shot.timezone:
        await ask("Emulation.setTimezoneOverride", timezoneId=shot.timezone)
    if shot.position is not None:
        latitude, longitude, accuracy = shot.position
        await ask(
            "Emulation.setGeolocationOverride", latitude=latitude, longitude=longitude, accuracy=accuracy
        )
    allowed = sorted({_PERMISSIONS[each] for each in shot.permissions if each in _PERMISSIONS})
    if allowed:
        await ask("Browser.grantPermissions", permissions=allowed, origin=_origin(shot.url))
    if shot.headers:
        browser.adds_headers(_origin(shot.url), shot.headers)
        await ask("Fetch.enable", patterns=[{"urlPattern": "*"}])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class _Browser:
    """A Chromium that runs, spoken to over its pipes."""

    def __init__(self, path: str, flags: list[str], said: Path) -> None:
        """What it says besides is kept in the file `said`, while it runs."""
        self._path = path
        self._said = said
        self._flags = flags
        self.page = ""
        """The session of its one page, once that is there."""
        self._count = 0
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: dict[str, asyncio.Future[None]] = {}
        self._headers: tuple[str, Mapping[str, str]] = ("", {})
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._problem = "Chromium does not start here, and the log says why"

    async def __aenter__(self) -> _Browser:
        said_besides = await asyncio.to_thread(self._said.open, "wb")
        told, tells = os.pipe()
        hears, said = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-m", "freehold.providers.chromium_launcher", str(told), str(said), self._path),
                *self._flags,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=said_besides,
                pass_fds=(told, said),
                start_new_session=True,
                env=_environment(),
            )
        except BaseException:
            os.close(tells)
            os.close(hears)
            raise
        finally:
            said_besides.close()
            os.close(told)
            os.close(said)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_MESSAGE_BYTES)
        try:
            self._hears, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(hears, "rb")
            )
            self._tells, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(tells, "wb"))
        except BaseException:  # whoever asked may have gone meanwhile
            self._kill()
            raise
        self._tasks = [asyncio.create_task(self._listen(reader)), asyncio.create_task(self._bound_memory())]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._kill()
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not self._tells.is_closing():
            self._tells.abort()
        self._hears.close()
        await self._process.wait()

    async def ask(self, method: str, **said: Any) -> dict[str, Any]:
        """Say something, and give what is answered. Raises PageFailed when it is refused, BrowserFailed."""
        self._count += 1
        number = self._count
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        self._say(number, method, said)
        if self._tasks[0].done():
            self._give_up()
        answer = await future
        if "error" in answer:
            raise PageFailed(answer["error"].get("message", "it was refused"))
        return answer["result"]  # type: ignore[no-any-return]

    def has_page(self, session: str) -> None:
        """From now on it is asked about this page."""
        self.page = session
        self._problem = "Chromium ended"

    def coming(self, event: str) -> asyncio.Future[None]:
        """What is done once the event has happened."""
        return self._events.setdefault(event, asyncio.get_running_loop().create_future())

    def adds_headers(self, origin: str, headers: Mapping[str, str]) -> None:
        """Add headers to requests that go to an origin."""
        self._headers = (origin, headers)

    def _say(self, number: int, method: str, said: dict[str, Any]) -> None:
        message = {"id": number, "method": method, "params": said}
        if self.page and not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self.page
        self._tells.write(msgspec.json.encode(message) + b"\0")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                message = msgspec.json.decode((await reader.readuntil(b"\0"))[:-1])
                if "id" in message:
                    future = self._asked.pop(message["id"], None)
                    if future is not None and not future.done():
                        future.set_result(message)
                else:
                    self._hear(message["method"], message.get("params", {}))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            if not self.page:
                says = await asyncio.to_thread(self._said.read_text, errors="replace")
                _log.warning("chromium_did_not_start", says=says[-2000:])
            self._give_up()

    def _hear(self, event: str, said: dict[str, Any]) -> None:
        self._count += 1
        if event == "Page.javascriptDialogOpening":
            self._say(self._count, "Page.handleJavaScriptDialog", {"accept": True})
        elif event == "Fetch.requestPaused":
            origin, headers = self._headers
            request = said["request"]
            answer: dict[str, Any] = {"requestId": said["requestId"]}
            if _origin(request["url"]) == origin:
                lower = {name.lower() for name in headers}
                kept = {
                    name: value for name, value in request["headers"].items() if name.lower() not in lower
                }
                all_of_them = [*kept.items(), *headers.items()]
                answer["headers"] = [{"name": name, "value": value} for name, value in all_of_them]
            self._say(self._count, "Fetch.continueRequest", answer)
        elif event in self._events and not self._events[event].done():
            self._events[event].set_result(None)
        elif event == "Inspector.targetCrashed":
            self._problem = "the page ended it"
            self._give_up()

    def _give_up(self) -> None:
        for future in self._asked.values():
            if not future.done():
                future.set_exception(BrowserFailed(self._problem))

    async def _bound_memory(self) -> None:
        """End the browser when it takes too much."""
        assert self._process is not None
        while sys.platform == "linux":
            await asyncio.sleep(_MEMORY_LOOKED_AT_S)
            if await asyncio.to_thread(_memory_of_group, self._process.pid) > _MEMORY_BYTES:
                self._problem = "the page takes too much memory"
                self._kill()

    def _kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Of our own, which holds secrets, only what a program needs to find its libraries and fonts."""
    kept = ("PATH", "LANG", "LD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _memory_of_group(group: int) -> int:
    """How much the processes of a group have for themselves, in bytes."""
    pages = 0
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            if int(each.joinpath("stat").read_text().rpartition(")")[2].split()[2]) == group:
                _, resident, shared, *_ = each.joinpath("statm").read_text().split()
                pages += int(resident) - int(shared)
    return pages * os.sysconf("SC_PAGE_SIZE")
