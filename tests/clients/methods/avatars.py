"""Pictures: drawn ones, and those that other sites have."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from tests.clients.methods import Scene
from tests.platform import unique
from tests.services.vendors import Vendors

_BY_NO_SERVER = "It is in one SDK, but not among the open-source routes."
LEFT_OUT = {"updatePhoto": _BY_NO_SERVER, "deletePhoto": _BY_NO_SERVER}

RED = (255, 0, 0)


def _seen(on: Scene, given: bytes | str, session: str = "") -> Image.Image:
    image = Image.open(BytesIO(on.contents(given, session)))
    image.load()
    return image


def _red(size: tuple[int, int]) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, RED).save(buffer, "PNG")
    return buffer.getvalue()


def _sites(on: Scene) -> tuple[Vendors, str]:
    """Other sites, and the name of one that no other test has."""
    sites = on.project.platform.vendors
    assert sites is not None
    return sites, f"{unique('site')}.example.com"


def get_browser(on: Scene) -> None:
    given = on.guest.getBrowser(code="ff", width=120, height=80, quality=90)

    assert _seen(on, given).size == (120, 80)


def get_credit_card(on: Scene) -> None:
    given = on.guest.getCreditCard(code="visa", width=120, height=80, quality=90)

    assert _seen(on, given).size == (120, 80)


def get_flag(on: Scene) -> None:
    flag = _seen(on, on.guest.getFlag(code="fr", width=90, height=60, quality=90)).convert("RGB")

    assert flag.size == (90, 60)
    assert flag.getpixel((45, 30)) == (255, 255, 255)


def get_favicon(on: Scene) -> None:
    sites, host = _sites(on)
    sites.pages[f"{host}/"] = (200, {}, b'<link rel="icon" href="/i.png">')
    sites.pages[f"{host}/i.png"] = (200, {}, _red((32, 32)))
    icon = _seen(on, on.guest.getFavicon(url=f"https://{host}/"))

    assert (icon.size, icon.convert("RGB").getpixel((5, 5))) == ((32, 32), RED)


def get_image(on: Scene) -> None:
    sites, host = _sites(on)
    sites.pages[f"{host}/a.png"] = (200, {}, _red((300, 200)))
    image = _seen(on, on.guest.getImage(url=f"https://{host}/a.png", width=60, height=40))

    assert (image.size, image.convert("RGB").getpixel((5, 5))) == ((60, 40), RED)


def get_initials(on: Scene) -> None:
    given = on.guest.getInitials(name="Jane Doe", width=80, height=60, background="00ff00")
    drawn = _seen(on, given).convert("RGB")

    assert (drawn.size, drawn.getpixel((1, 1))) == ((80, 60), (0, 255, 0))
    assert on.contents(on.user.getInitials(), on.jane.session) == on.contents(
        on.guest.getInitials(name="Jane")
    )


def get_photo(on: Scene) -> None:
    given = on.user.getPhoto(width=50, height=40, quality=80, output="webp", rating="g")
    photo = _seen(on, given, on.jane.session)

    assert (photo.format, photo.size) == ("WEBP", (50, 40))


def get_qr(on: Scene) -> None:
    code = _seen(on, on.guest.getQR(text="https://example.com", size=290, margin=2, download=True))

    assert code.size == (290, 290)
    assert code.convert("L").getpixel((1, 1)) == 255


def get_screenshot(on: Scene) -> None:
    sites, host = _sites(on)
    tells = "'/seen?' + [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"
    page = f"<script>new Image().src = {tells}</script><body style='background:#f00'>"
    sites.pages[f"{host}/"] = (200, {"Content-Type": "text/html"}, page.encode())
    sites.pages[f"{host}/seen"] = (200, {}, b"")
    # Those for JavaScript put an object into a URL as `[object Object]`.
    headers = {"X-Preview": "yes"} if on.language.name == "python" else {}
    given = on.guest.getScreenshot(
        url=f"http://{host}/",
        **({"headers": headers} if headers else {}),
        viewportWidth=640,
        viewportHeight=480,
        scale=1,
        theme="dark",
        userAgent="Visitor/1",
        fullpage=False,
        locale="de-DE",
        timezone="asia/tokyo",
        latitude=59.9,
        longitude=10.7,
        accuracy=20,
        touch=True,
        permissions=["geolocation"],
        sleep=1,
        width=64,
        height=48,
        quality=80,
        output="webp",
    )
    shown = _seen(on, given)
    asked = {each.url.removeprefix(host): each for each in sites.asks if each.url.startswith(host)}

    assert (shown.format, shown.size) == ("WEBP", (64, 48))
    assert shown.convert("RGB").getpixel((50, 40))[0] > 240  # type: ignore[index]
    assert asked["/"].headers["User-Agent"] == "Visitor/1"
    assert headers.items() <= asked["/"].headers.items()
    assert list(asked["/seen"].form) == ["640,true"]
