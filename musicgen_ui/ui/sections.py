"""The sections of a form as a bar: one field for each, as wide as it is long."""

from __future__ import annotations

from html import escape
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import FREE, Section, plan_form
from musicgen_ui.recipe import LIMITS, checked_integer

INTRO = "intro"
SHADES = 5
"""Colours of sections; a form with more sections begins again with the first."""


def sections_html(form: Any, bars: Any, intro: Any, ending: Any) -> str:
    """The bar for the page's controls, or the sentence that says why there is none."""
    try:
        sections = plan_form(form, checked_integer("bars", bars, *LIMITS["bars"]), intro is True, ending)
    except RequestError as error:
        return f'<p class="note" role="alert">{escape(str(error))}</p>'
    if form == FREE and len(sections) == 1:
        return '<div class="blend"><span class="any">No sections: the composer goes on as it likes</span></div>'
    names = list(dict.fromkeys(_name(section) for section in sections if section.label != INTRO))
    fields = "".join(
        f'<span class="{_shade(section, names)}" style="flex-grow:{section.bars}" '
        f'title="{escape(_words(section))}">{escape(_label(section, form))} <small>{section.bars}</small></span>'
        for section in sections
    )
    said = ", ".join(f"{_label(section, form)} {section.bars} bars" for section in sections)
    return f'<div class="blend form" role="img" aria-label="Sections: {escape(said)}">{fields}</div>'


def _name(section: Section) -> str:
    """The label without the strokes of its variations."""
    return section.label.rstrip("'")


def _shade(section: Section, names: list[str]) -> str:
    """Class of a section: what comes back looks as it did."""
    return INTRO if section.label == INTRO else f"s{names.index(_name(section)) % SHADES}"


def _label(section: Section, form: str) -> str:
    return "free" if form == FREE and section.label == "A" else section.label


def _words(section: Section) -> str:
    last = section.first + section.bars
    place = f"bars {section.first + 1} to {last}" if section.bars > 1 else f"bar {last}"
    if section.repeats is None:
        return f"{section.label}: {place}"
    how = "varied" if section.variation else "comes back"
    return f"{section.label}: {place}, {how}"
