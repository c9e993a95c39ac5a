"""Endpoints of avatars."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.errors import InvalidParameter
from freehold.providers.images import Drawing, Output, Transform
from freehold.services.avatars import others, screenshots
from freehold.services.avatars.errors import (
    IconNotFound,
    ImageNotFound,
    RemoteUrlFailed,
)
from freehold.services.avatars.models import (
    BROWSERS,
    CARDS,
    FLAGS,
    FaviconQuery,
    ImageQuery,
    InitialsQuery,
    PhotoQuery,
    PictureQuery,
    QrQuery,
    ScreenshotQuery,
)
from freehold.services.avatars.pictures import picture, sent
from freehold.services.storage import type_of
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import Stream

routes = Routes("avatars")

_FETCHES = limit("120/60s", key="ip:{ip}")
_OUTPUT_OF: dict[str, Output] = {"image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
_PHOTO_KEPT_S = 3600


@routes.get("/v1/avatars/browsers/{code}", scope="avatars.read")
async def get_browser(call: Call, code: str, query: PictureQuery) -> Stream:
    """Show a browser."""
    return await _drawn(call, _of(BROWSERS, "browser", code), query)


@routes.get("/v1/avatars/credit-cards/{code}", scope="avatars.read")
async def get_credit_card(call: Call, code: str, query: PictureQuery) -> Stream:
    """Show a credit card."""
    return await _drawn(call, _of(CARDS, "card", code), query)


@routes.get("/v1/avatars/flags/{code}", scope="avatars.read")
async def get_flag(call: Call, code: str, query: PictureQuery) -> Stream:
    """Show the flag of a country."""
    if code.lower() not in FLAGS:
        raise InvalidParameter(name="code", reason="It is the code of a country, such as `de`.")
    return await _drawn(call, Drawing("flag", code.lower()), query)


@routes.get("/v1/avatars/initials", scope="avatars.read")
async def get_initials(call: Call, query: InitialsQuery) -> Stream:
    """Show the initials of a name; without one, those of the user who asks."""
    name = query.name or _name_of(call)
    drawing = Drawing("initials", initials_of(name), query.background.removeprefix("#").lower())
    return await _drawn(call, drawing, query)


@routes.get("/v1/avatars/qr", scope="avatars.read", name="getQR")
async def get_qr(call: Call, query: QrQuery) -> Stream:
    """Show a text as a QR code."""
    transform = Transform(width=query.size, height=query.size)
    contents = await picture(call, Drawing("qr", query.text, margin=query.margin), "png", transform)
    return sent(contents, "png", saved_as="qr.png" if query.download else "")


@routes.get("/v1/avatars/photo", scope="avatars.read")
async def get_photo(call: Call, query: PhotoQuery) -> Stream:
    """Show a photo of the user who asks, if there is any; else the initials."""
    user = call.identity.user
    transform = Transform(width=query.width, height=query.height, quality=query.quality)
    size = max(query.width, query.height) or 256
    found = await others.photo(
        call, (user["email"] or "") if user is not None else "", size=size, rating=query.rating
    )
    drawing = Drawing("initials", initials_of(_name_of(call)))
    try:
        contents = await picture(call, found or drawing, query.output, transform)
    except ImageNotFound:
        contents = await picture(call, drawing, query.output, transform)
    return sent(contents, query.output, kept_s=_PHOTO_KEPT_S)


@routes.get(
    "/v1/avatars/favicon",
    scope="avatars.read",
    limit=_FETCHES,
    raises=(IconNotFound, RemoteUrlFailed),
)
async def get_favicon(call: Call, query: FaviconQuery) -> Stream:
    """Show the icon of a page on another site."""
    for url in await others.icons(call, query.url):
        try:
            found = await others.icon(call, url)
            contents = await picture(call, found, "png", Transform(), vector=True)
        except (IconNotFound, ImageNotFound):
            continue  # it has another one
        return sent(contents, "png")
    raise IconNotFound()


@routes.get(
    "/v1/avatars/image",
    scope="avatars.read",
    limit=_FETCHES,
    raises=(ImageNotFound, RemoteUrlFailed),
)
async def get_image(call: Call, query: ImageQuery) -> Stream:
    """Show an image of another site, in another size."""
    found = await others.image(call, query.url)
    output = _OUTPUT_OF.get(type_of(found[:8192], ""), "png")
    contents = await picture(call, found, output, Transform(width=query.width, height=query.height))
    return sent(contents, output)


@routes.get(
    "/v1/avatars/screenshots",
    scope="avatars.read",
    limit=limit("60/3600s", key="url:{url},ip:{ip}"),
    raises=(RemoteUrlFailed,),
)
async def get_screenshot(call: Call, query: ScreenshotQuery) -> Stream:
    """Show a page of another site as it looks in a browser."""
    return sent(await screenshots.screenshot(call, query), query.output, kept_s=screenshots.KEPT_S)


def _of(known: Mapping[str, tuple[str, str]], kind: str, code: str) -> Drawing:
    if code not in known:
        raise InvalidParameter(name="code", reason=f"It is one of {', '.join(sorted(known))}.")
    text, color = known[code]
    return Drawing(kind, text, color)  # type: ignore[arg-type]


async def _drawn(call: Call, drawing: Drawing, query: PictureQuery | InitialsQuery) -> Stream:
    quality = query.quality if isinstance(query, PictureQuery) else -1
    transform = Transform(width=query.width, height=query.height, quality=quality)
    return sent(await picture(call, drawing, "png", transform), "png")


def _name_of(call: Call) -> str:
    """What the user who asks is called, or its address; nothing when it is no user."""
    user = call.identity.user
    return (user["name"] or user["email"] or "") if user is not None else ""


def initials_of(name: str) -> str:
    """The first letters of the first two words, of whichever script."""
    words = ["".join(filter(str.isalnum, word)) for word in name.replace("@", " ").split()]
    # As they stand at the beginning of a name: Georgian has capitals for whole lines only.
    return "".join([word[0].title() for word in words if word][:2])
