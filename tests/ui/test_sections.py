"""The form as a bar: every section as wide as it is long, and one sentence where there is no room."""

from __future__ import annotations

import re

import pytest

from musicgen_ui.music.form import ENDINGS, FORMS
from musicgen_ui.music.score import Score
from musicgen_ui.ui.controls import ENDING_HINTS, ENDING_NAMES
from musicgen_ui.ui.roll import roll_figure
from musicgen_ui.ui.sections import plan_form, sections_html


@pytest.mark.parametrize("form", FORMS[1:])
def test_the_fields_fill_the_clip(form: str) -> None:
    html = sections_html(form, 16.0, True, "close")
    bars = [int(grow) for grow in re.findall(r"flex-grow:(\d+)", html)]
    assert sum(bars) == 16
    assert "intro" in html
    assert 'aria-label="Sections: intro' in html


def test_what_comes_back_looks_as_it_did_and_says_so() -> None:
    html = sections_html("AABA", 16, False, "close")
    assert re.findall(r'class="(s\d)"', html) == ["s0", "s0", "s1", "s0"]
    assert 'title="A: bars 5 to 8, comes back"' in html


def test_free_has_no_sections_unless_it_has_an_introduction() -> None:
    assert "No sections" in sections_html("free", 16, False, "close")
    assert ">intro <small>" in sections_html("free", 16, True, "close")


@pytest.mark.parametrize("bad", [("free", 2, True, "close"), ("sonata", 8, False, "close"), ("free", None, False, "x")])
def test_what_cannot_be_is_one_sentence(bad: tuple) -> None:
    html = sections_html(*bad)
    assert html.startswith('<p class="note" role="alert">')
    assert html.count("<p") == 1


def test_the_roll_names_the_sections() -> None:
    html = roll_figure(Score(100.0, "4/4", 8, {"lead": ()}), {}, plan_form("ABAB", 8))
    assert re.findall(r'flex-grow:(\d+)">(\w)<', html) == [("2", "A"), ("2", "B"), ("2", "A"), ("2", "B")]
    assert "Sections: A 2 bars, B 2 bars" in html


def test_every_ending_has_a_name_and_a_hint() -> None:
    assert set(ENDING_NAMES) == set(ENDING_HINTS) == set(ENDINGS)
