"""SVG images as pictures of points.

They may have come from anybody, so what could run, read a file, or lead elsewhere is taken out before they
are drawn: all that is left of links is to parts of the image itself, and to points that lie in it.
"""

from __future__ import annotations

import re
from io import BytesIO
from xml.etree import ElementTree

import resvg_py
from PIL import Image

SIDE = 256
"""How wide they are drawn."""
MAX_ELEMENTS = 20_000

_SVG = "{http://www.w3.org/2000/svg}"
_TAKEN_OUT = frozenset(f"{_SVG}{name}" for name in ("script", "foreignObject", "feImage"))
_POINTS = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,", re.IGNORECASE)
_LEADS_ELSEWHERE = re.compile(r"url\(\s*['\"]?\s*(?!#)[^\s'\"#]", re.IGNORECASE)


class NotAnSvg(ValueError):
    """It is something else, or declares what it may not."""


def rasterised(contents: bytes) -> Image.Image:
    """The picture. Raises NotAnSvg."""
    try:
        text = contents.decode("utf-8-sig")
        if "<!ENTITY" in text.upper():
            raise NotAnSvg("it declares entities")
        root = ElementTree.fromstring(text)  # noqa: S314
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise NotAnSvg("it is not XML in UTF-8") from error
    if root.tag != f"{_SVG}svg":
        raise NotAnSvg("its root is something else")
    _take_out(root)
    inert = ElementTree.tostring(root, encoding="unicode")
    drawn = resvg_py.svg_to_bytes(svg_string=inert, width=SIDE, skip_system_fonts=True)
    image = Image.open(BytesIO(bytes(drawn)), formats=("PNG",))
    image.load()
    return image


def _take_out(root: ElementTree.Element) -> None:
    elements = list(root.iter())
    if len(elements) > MAX_ELEMENTS:
        raise NotAnSvg("it has too many elements")
    for element in elements:
        for child in list(element):
            is_led = child.tag == f"{_SVG}style" and _LEADS_ELSEWHERE.search("".join(child.itertext()))
            if child.tag in _TAKEN_OUT or is_led:
                element.remove(child)
        for name, value in list(element.attrib.items()):
            is_link = name.rpartition("}")[2] == "href"
            is_inside = value.startswith("#") or (element.tag == f"{_SVG}image" and _POINTS.match(value))
            if (is_link and not is_inside) or _LEADS_ELSEWHERE.search(value):
                del element.attrib[name]
