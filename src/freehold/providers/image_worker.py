"""The process that opens images, which anybody may have sent: it has little memory, and can be ended.

It reads orders from its standard input, a line of JSON each, and answers each with a line. `images.py` beside
this file is who writes them.
"""

from __future__ import annotations

import errno
import math
import resource
import struct
import sys
import warnings
from pathlib import Path
from typing import cast

import msgspec
import pillow_heif
from PIL import Image, ImageColor, ImageDraw, ImageOps, ImageSequence, UnidentifiedImageError

from freehold.providers.drawings import drawn
from freehold.providers.images import (
    MAX_PIXELS,
    MAX_SIDE,
    Answer,
    Drawing,
    Order,
    Output,
    Transform,
)
from freehold.providers.vectors import rasterised

MEMORY_BYTES = 1536 * 1024**2
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "ICO")
FORMATS: dict[Output, str] = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "avif": "AVIF",
    "heic": "HEIF",
}
QUALITY: dict[Output, int] = {"jpg": 82, "jpeg": 82, "webp": 80, "avif": 60, "heic": 60}
"""Unless the order says another one. The other formats have none."""

_CENTERING = {
    "top-left": (0.0, 0.0),
    "top": (0.5, 0.0),
    "top-right": (1.0, 0.0),
    "left": (0.0, 0.5),
    "center": (0.5, 0.5),
    "right": (1.0, 0.5),
    "bottom-left": (0.0, 1.0),
    "bottom": (0.5, 1.0),
    "bottom-right": (1.0, 1.0),
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LANCZOS = Image.Resampling.LANCZOS


class TooLarge(Exception):
    """An image of more pixels than are opened."""


def main() -> None:
    """Carry out orders until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    pillow_heif.register_heif_opener()
    decode = msgspec.json.Decoder(Order).decode
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(_carry_out(decode(line))) + b"\n")
        sys.stdout.buffer.flush()


def _carry_out(order: Order) -> Answer:
    try:
        if order.cleaned:
            _clean(order)
            return "done"
        image = drawn(order.source) if isinstance(order.source, Drawing) else _opened(order)
        _save(_transformed(image, order.transform), order)
    except (TooLarge, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "too large"
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        IndexError,
        EOFError,
        TypeError,
        RuntimeError,
        struct.error,
    ) as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            return "disk full"
        return "unreadable"  # what decoders raise over contents that are no image after all
    return "done"


def _opened(order: Order) -> Image.Image:
    """The first picture of an image file, the right way up."""
    path = cast("str", order.source)
    try:
        image: Image.Image = Image.open(path, formats=READABLE)
    except UnidentifiedImageError:
        if not order.vector:
            raise
        return rasterised(Path(path).read_bytes())
    if math.prod(image.size) > MAX_PIXELS:
        raise TooLarge()
    wanted = (order.transform.width or image.width, order.transform.height or image.height)
    longest = max(wanted)  # whichever way up it is
    if longest < min(image.size):
        image.draft(None, (longest, longest))
    image.load()
    upright = _in_eight_bits(ImageOps.exif_transpose(image))
    profile = image.info.get("icc_profile") or b""
    found = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # That of another color space, as photos for print have, would be taken for one of these colors.
    found.info = {"icc_profile": profile} if profile[16:20] == b"RGB " else {}
    return found


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """The shades of a grey image of 16 bits; converted as they are, all but the darkest would be white."""
    if not image.mode.startswith("I;16"):
        return image
    grey = image.point(lambda value: value / 256).convert("L")
    grey.info.pop("transparency", None)  # a shade of 16 bits
    return grey


def _clean(order: Order) -> None:
    """Write the image anew, the right way up, with all its frames and colours, and nothing else of it."""
    image: Image.Image = Image.open(cast("str", order.source), formats=READABLE)
    frames = getattr(image, "n_frames", 1)
    if math.prod(image.size) * frames > MAX_PIXELS:
        raise TooLarge()
    options: dict[str, object] = {**_LOSSLESS[order.output], "exif": b"", "xmp": b"", "comment": b""}
    if image.info.get("icc_profile"):
        options["icc_profile"] = image.info["icc_profile"]
    if frames > 1:
        options |= {each: image.info[each] for each in ("loop", "disposal") if each in image.info}
        options |= {"save_all": True, "duration": _durations(image)}
    else:
        image.load()
        image = ImageOps.exif_transpose(image)
        options |= {each: image.info[each] for each in ("transparency",) if each in image.info}
        image.info = {}
    image.save(order.target, FORMATS[order.output], **options)


def _durations(image: Image.Image) -> list[float]:
    """For how long each frame is shown, in milliseconds."""
    found: list[float] = []
    for frame in ImageSequence.Iterator(image):
        frame.load()  # before which some formats do not know
        found.append(frame.info.get("duration", 0))
    image.seek(0)
    return found


_LOSSLESS: dict[Output, dict[str, object]] = {
    "jpg": {"quality": 95, "subsampling": 0},
    "png": {},
    "gif": {},
    "webp": {"quality": 95},
    "avif": {"quality": 95, "speed": 8},
    "heic": {"quality": 95},
}
"""As little is lost as the format lets us."""


def _transformed(image: Image.Image, told: Transform) -> Image.Image:
    profile = image.info
    image = _sized(image, told)
    if told.opacity < 1:
        image = image.convert("RGBA")
        image.putalpha(image.getchannel("A").point(lambda value: round(value * told.opacity)))
    if told.background:
        below = Image.new("RGBA", image.size, _color(told.background))
        image = Image.alpha_composite(below, image.convert("RGBA"))
    if told.border_width:
        image = ImageOps.expand(image, told.border_width, _color(told.border_color)[: len(image.mode)])
    if told.border_radius:
        image = image.convert("RGBA")
        rounded = Image.new("L", image.size, 0)
        corner = (0, 0, image.width - 1, image.height - 1)
        ImageDraw.Draw(rounded).rounded_rectangle(corner, told.border_radius, fill=255)
        image.putalpha(Image.composite(image.getchannel("A"), Image.new("L", image.size, 0), rounded))
    if told.rotation % 360:
        image = image.convert("RGBA").rotate(-told.rotation, Image.Resampling.BICUBIC, expand=True)
    image.info = profile
    return image


def _sized(image: Image.Image, told: Transform) -> Image.Image:
    """Cut to both sides where both are told; of one, the other follows, and is no longer than may be."""
    width, height = told.width, told.height
    if width and height:
        return ImageOps.fit(image, (width, height), _LANCZOS, centering=_CENTERING[told.gravity])
    if not width and not height:
        return image
    scale = width / image.width if width else height / image.height
    scale = min(scale, MAX_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, _LANCZOS)


def _color(digits: str) -> tuple[int, ...]:
    return ImageColor.getcolor(f"#{digits or '000000'}", "RGBA")  # type: ignore[return-value]


def _save(image: Image.Image, order: Order) -> None:
    output = order.output
    options: dict[str, object] = {}
    if output in ("jpg", "jpeg") and image.mode == "RGBA":
        image = _on_white(image)
    if output == "gif" and image.mode == "RGBA":  # which knows no half-transparent pixels
        clear = image.getchannel("A").point(lambda value: 255 if value == 0 else 0)
        image = _on_white(image).quantize(255)
        image.paste(255, mask=clear)
        options["transparency"] = 255
    if output in QUALITY:
        told = order.transform.quality
        options["quality"] = QUALITY[output] if told < 0 else max(1, told)
    if output not in ("gif", "heic") and image.info.get("icc_profile"):
        options["icc_profile"] = image.info["icc_profile"]
    if output == "avif":
        options["speed"] = 8
    Path(order.target).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    image.save(order.target, FORMATS[output], **options)


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(white, image).convert("RGB")
    flat.info = image.info
    return flat


if __name__ == "__main__":
    main()
