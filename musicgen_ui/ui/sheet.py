"""Sheet music for the page: the score engraved by verovio, offline, as SVG, with the time at which each note sounds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import verovio

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import Section
from musicgen_ui.music.musicxml import to_musicxml
from musicgen_ui.music.musicxml_voices import is_swung
from musicgen_ui.music.score import Score
from musicgen_ui.ui.sheet_svg import clean_svg, note_ids

WIDTHS = (240, 4000)
"""Pixels that a page may be wide."""

SCALE = 40
"""Size of the music in percent of verovio's own: a staff is 29 pixels high."""

_PAGE_SHAPE = 1.414
"""Height of a page against its width, at most."""

_SWUNG = {0.25: 1 / 3, 0.5: 2 / 3, 0.75: 5 / 6}
"""Place within the beat as it is written, to where it sounds when the music swings."""

_RESOURCES = str(Path(verovio.__file__).parent / "data")

_ENGRAVING = threading.Lock()
"""Verovio keeps some of its state for the whole process."""


@dataclass(frozen=True)
class Sheet:
    """Engraved music.

    Attributes:
        pages: SVG texts without scripts, styles or outside references, drawn in ``currentColor``.
        timemap: what happens when, in order: ``{"at": seconds, "page": from 0, "bar": from 1, "on": [ids of notes that
            begin], "off": [ids that end]}``. Seconds count from the start of the clip; ids are those in the pages.
    """

    pages: tuple[str, ...]
    timemap: tuple[dict[str, Any], ...]


def engrave(
    score: Score,
    title: str,
    width: int,
    *,
    prefix: str = "sheet-",
    zoom: float = 1.0,
    speed: float = 1.0,
    sections: Sequence[Section] = (),
    **choices: Any,
) -> Sheet:
    """Engrave a score.

    Args:
        score: what to engrave.
        title: above the music.
        width: of a page in pixels, within WIDTHS.
        prefix: put before every id, so that two sheets may stand in one page.
        zoom: size of the music, 0.5 to 2.
        speed: of the clip's tape, which the times follow.
        sections: written as rehearsal marks.
        choices: ``parts``, ``language`` and ``lead_sheet`` of :func:`musicgen_ui.music.musicxml.to_musicxml`.

    Raises:
        RequestError: ``width`` or ``zoom`` out of range, or a score that cannot be engraved.
    """
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise RequestError("width", f"must be from {WIDTHS[0]} to {WIDTHS[1]} pixels, not {width}")
    if not 0.5 <= zoom <= 2:
        raise RequestError("zoom", f"must be from 0.5 to 2, not {zoom:g}")
    try:
        text = to_musicxml(score, title, sections=sections, **choices)
    except ValueError as error:
        raise RequestError("score", f"cannot be written as sheet music: {error}") from None
    drawn, moments = _drawn(text, round(width / zoom))
    names = note_ids(moments, prefix)
    pages = tuple(clean_svg(page, names, f"{prefix}{number}-", title) for number, page in enumerate(drawn))
    return Sheet(pages, _timemap(moments, drawn, names, score, speed))


def _drawn(text: str, width: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Pages as verovio draws them, and its map of times."""
    page_width = round(width * 100 / SCALE)
    options = {
        "pageWidth": page_width,
        "pageHeight": round(page_width * _PAGE_SHAPE),
        "pageMarginLeft": 60,
        "scale": SCALE,
        "adjustPageHeight": True,
        "svgViewBox": True,
        "svgRemoveXlink": True,
        "outputFormatRaw": True,
        "smuflTextFont": "none",
        "footer": "none",
        "spacingStaff": 9,
        "xmlIdSeed": 1,
    }
    with _ENGRAVING:
        toolkit = verovio.toolkit(False)
        # Its fonts are found by the thread that imported it alone, unless it is told.
        toolkit.setResourcePath(_RESOURCES)
        toolkit.setOptions(options)
        if not toolkit.loadData(text):
            raise RequestError("score", "cannot be engraved")
        pages = [toolkit.renderToSVG(number + 1) for number in range(toolkit.getPageCount())]
        return pages, toolkit.renderToTimemap({"includeMeasures": True})


def _timemap(
    moments: Sequence[dict[str, Any]], drawn: Sequence[str], names: dict[str, str], score: Score, speed: float
) -> tuple[dict[str, Any], ...]:
    swung = is_swung(score)
    out, bar, page = [], 0, 0
    for moment in moments:
        if measure := moment.get("measureOn"):
            bar += 1
            page = next(number for number in range(page, len(drawn)) if f'id="{measure}"' in drawn[number])
        beat, within = divmod(moment["qstamp"], 1)
        beats = beat + (_SWUNG.get(within, within) if swung else within)
        out.append(
            {
                "at": round(beats * 60 / score.tempo / speed, 4),
                "page": page,
                "bar": min(bar, score.bars),
                "on": [names[name] for name in moment.get("on", [])],
                "off": [names[name] for name in moment.get("off", [])],
            }
        )
    return tuple(out)
