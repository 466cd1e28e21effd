"""Figures of a clip, drawn from its files on the shelf and kept beside them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

import numpy as np

from musicgen_ui.audio.waveform import ReadLimits, read_audio
from musicgen_ui.engine.shelve import CLIP, FACTS, SCORE
from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import Section, plan_form
from musicgen_ui.music.score_json import score_from_dict
from musicgen_ui.recipe import Recipe
from musicgen_ui.ui.clip import instrument_name
from musicgen_ui.ui.roll import roll_figure
from musicgen_ui.ui.sheet import engrave
from musicgen_ui.ui.spectrogram import chroma_figure, mel_figure, mfcc_figure
from musicgen_ui.ui.waveform import waveform_figure

PICTURES = "pictures"
RELEASE = 2
"""Part of a kept picture's name; goes up when pictures are drawn in another way."""

_LIMITS = ReadLimits(file_bytes=2**31, seconds=3600.0, pcm_bytes=2**32)


def draw(kind: str, folder: Path) -> str:
    """A figure as HTML; drawn once and then kept.

    Args:
        kind: one of KINDS.
        folder: of a clip on the shelf.

    Raises:
        RequestError: no such kind, or the clip's files are not there.
    """
    if kind not in KINDS:
        raise RequestError("kind", f"must be one of {', '.join(KINDS)}")
    kept = folder / PICTURES / f"{kind}.{RELEASE}.html"
    facts = folder / FACTS
    try:
        # A clip that was made again is drawn again.
        if kept.exists() and kept.stat().st_mtime >= facts.stat().st_mtime:
            return kept.read_text("utf-8")
        html = KINDS[kind](folder)
    except OSError as error:
        raise RequestError("clip", "its files are gone; it can be made again from its recipe") from error
    _keep(kept, html)
    return html


def _keep(path: Path, html: str) -> None:
    """A full disk loses no figure: it is drawn again the next time."""
    try:
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".fresh-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(html)
        Path(name).replace(path)
    except OSError:
        return


def _sound(drawn: Callable[[np.ndarray, int], str]) -> Callable[[Path], str]:
    def of(folder: Path) -> str:
        return drawn(*read_audio(folder / CLIP, _LIMITS))

    return of


def _roll(folder: Path) -> str:
    score = score_from_dict(json.loads((folder / SCORE).read_text("utf-8")))
    facts = json.loads((folder / FACTS).read_text("utf-8"))
    labels = {part: instrument_name(part, number) for part, number in score.programs.items()}
    return roll_figure(score, labels, _sections(facts, score.bars))


def _sheet(width: int) -> Callable[[Path], str]:
    def of(folder: Path) -> str:
        score = score_from_dict(json.loads((folder / SCORE).read_text("utf-8")))
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        speed = facts["recipe"]["style"].get("speed", 1.0)
        sheet = engrave(score, facts["title"], width, speed=speed, sections=_sections(facts, score.bars))
        times = [[moment["at"], moment["on"]] for moment in sheet.timemap if moment["on"]]
        pages = "".join(f'<div class="page" translate="no">{page}</div>' for page in sheet.pages)
        told = escape(json.dumps(times, separators=(",", ":")), quote=True)
        return f'<div class="pages" tabindex="0" role="img" aria-label="Sheet music" data-times="{told}">{pages}</div>'

    return of


def _sections(facts: Mapping, bars: int) -> tuple[Section, ...]:
    """What the composer was told to build; none where it wrote around other music."""
    try:
        recipe = Recipe.from_dict(facts["recipe"])
        planned = () if recipe.source else plan_form(recipe.form, bars, recipe.intro, recipe.ending)
    except (RequestError, KeyError):
        return ()
    return planned if len(planned) > 1 else ()


KINDS: Mapping[str, Callable[[Path], str]] = MappingProxyType({
    "waveform": _sound(waveform_figure),
    "roll": _roll,
    "mel": _sound(mel_figure),
    "chroma": _sound(chroma_figure),
    "mfcc": _sound(mfcc_figure),
    "sheet": _sheet(1000),
    "sheet-narrow": _sheet(460),
})  # fmt: skip
"""Name of a figure to what draws it from a clip's folder."""
