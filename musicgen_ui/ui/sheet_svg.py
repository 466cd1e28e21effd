"""Engraved pages made fit for the page: only drawing, in the page's own colour, with ids that clash with nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_DRAWING = {"svg", "g", "defs", "use", "path", "polygon", "polyline", "ellipse", "rect", "text", "tspan"}
_TEXT = {"text", "tspan"}
_ATTRIBUTES = {
    "viewBox", "overflow", "d", "transform", "points", "x", "y", "cx", "cy", "rx", "ry", "width", "height",
    "font-size", "text-anchor", "font-style", "font-weight", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "stroke-dasharray", "fill", "stroke",
}  # fmt: skip
"""What may stay of verovio's elements and attributes; styles, scripts, handlers and links are not among them."""

_CLASSES = {"measure", "note", "chord", "rest", "staff", "layer", "harm", "tempo", "reh", "system", "beam", "label"}
_LOOKS = {"tempo": ("font-weight", "bold"), "reh": ("font-weight", "bold"), "mNum": ("font-style", "italic")}
_FONT = "'Times New Roman', Times, 'Liberation Serif', 'Noto Serif', 'Noto Serif CJK SC', 'Songti SC', SimSun, serif"
_SIGNS = {0xECA5: "♩", 0xEA64: "♭", 0xEA65: "♮", 0xEA66: "♯"}
"""Signs within text, which verovio takes from a music font (SMuFL), to those in the fonts that people have."""
_SIGN_SIZE = "440px"


def note_ids(moments: Iterable[Mapping[str, Any]], prefix: str) -> dict[str, str]:
    """Verovio's id of every note that a map of times names, to the one that it gets in the page."""
    named = dict.fromkeys(name for moment in moments for key in ("on", "off") for name in moment.get(key, ()))
    return {name: f"{prefix}n{number}" for number, name in enumerate(named)}


def clean_svg(page: str, names: Mapping[str, str], prefix: str, label: str) -> str:
    """A page of verovio's as an inline SVG.

    Args:
        page: what verovio has drawn.
        names: id to the one to give instead; other ids go, but for those of glyphs.
        prefix: of the ids of glyphs.
        label: for those who do not see it.
    """
    root = ElementTree.fromstring(page)
    _clean(root, names, prefix, defined=False)
    root.attrib.update(
        {"xmlns": _SVG, "class": "sheet-page", "fill": "currentColor", "stroke": "currentColor", "stroke-width": "0"}
    )
    root.attrib.update({"font-family": _FONT, "role": "img", "aria-label": label})
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, names: Mapping[str, str], prefix: str, *, defined: bool) -> None:
    """Strip an element and all within; ``defined`` inside the definitions of glyphs."""
    given = dict(element.attrib)
    tag = element.tag = _name(element)
    element.attrib.clear()
    classes = given.get("class", "").split()
    if shown := [name for name in classes if name in _CLASSES]:
        element.set("class", " ".join(shown))
    for name in classes:
        if name in _LOOKS:
            element.set(*_LOOKS[name])
    element.attrib.update({name: value for name, value in given.items() if name in _ATTRIBUTES})
    ident, link = given.get("id"), given.get("href", "")
    if ident in names:
        element.set("id", names[ident])
    elif ident and defined:
        element.set("id", prefix + ident)
    if tag == "use" and link.startswith("#"):
        element.set("href", f"#{prefix}{link[1:]}")
    if tag == "tspan" and "font-family" in given:
        element.text = (element.text or "").translate(_SIGNS)
        element.set("font-size", _SIGN_SIZE)
    if tag not in _TEXT:
        element.text = None
    children = []
    for child in element:
        if _name(child) in _DRAWING and "placeholder" not in child.get("class", ""):
            _clean(child, names, prefix, defined=defined or tag == "defs")
            child.tail = child.tail if tag in _TEXT and child.tail and child.tail.strip() else None
            # A group that says nothing leaves its content alone; most of verovio's groups are such.
            children += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = children


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
