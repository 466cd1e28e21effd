"""Asked against heard: the verdicts are right, and nothing is invented where nothing was measured."""

from __future__ import annotations

import pytest

from musicgen_ui.style import SLIDERS
from musicgen_ui.ui.meters import NOT_MEASURED, compare_keys, compare_tempo, meters, meters_html, pretty_key

ASKED = {name: slider.default for name, slider in SLIDERS.items()} | {"key": "A minor", "genre": "pop"}


@pytest.mark.parametrize(
    ("asked", "heard", "verdict", "grade"),
    [
        (120, 120.5, "spot on", "good"),
        (120, 126, "5% too fast", "far"),
        (120, 241, "counted at double time", "fair"),
        (120, 59.5, "counted at half time", "fair"),
        (90, 180, "counted at double time", "fair"),
        (100, 70, "30% too slow", "far"),
    ],
)
def test_tempo_tells_octaves_apart(asked: float, heard: float, verdict: str, grade: str) -> None:
    assert compare_tempo(asked, heard) == (verdict, grade)


@pytest.mark.parametrize(
    ("asked", "heard", "grade"),
    [
        ("C major", "C major", "good"),
        ("C major", "A minor", "fair"),
        ("A minor", "C major", "fair"),
        ("C major", "G major", "fair"),
        ("C major", "F major", "fair"),
        ("C major", "C minor", "fair"),
        ("C major", "E minor", "far"),
        ("C major", "D major", "far"),
    ],
)
def test_keys_are_graded_in_the_classes_of_mirex(asked: str, heard: str, grade: str) -> None:
    assert compare_keys(asked, heard)[1] == grade


def test_rows_come_in_the_order_of_the_page_with_key_and_genre_last() -> None:
    names = [meter.name for meter in meters(ASKED, dict(ASKED))]
    assert names == [*(slider.name for slider in SLIDERS.values()), "Key", "Genre"]


def test_everything_obeyed_is_spot_on() -> None:
    assert {meter.verdict for meter in meters(ASKED, dict(ASKED))} == {"spot on"}


def test_nothing_measured_is_said_and_no_bar_is_drawn() -> None:
    rows = meters(ASKED, {})
    assert {meter.verdict for meter in rows} == {NOT_MEASURED}
    assert all(meter.hear is None and meter.heard == "" for meter in rows)
    assert 'style="width' not in meters_html(rows)


def test_nothing_asked_is_no_failure() -> None:
    rows = {meter.name: meter for meter in meters({"key": None, "genre": None}, dict(ASKED))}
    assert {meter.grade for meter in rows.values()} == {"none"}


def test_positions_stay_on_the_track() -> None:
    rows = meters(ASKED | {"mood": 0.0}, ASKED | {"tempo": 999.0, "mood": 1.0})
    assert rows[0].hear == 1.0
    assert (rows[1].ask, rows[1].hear) == (0.0, 1.0)


def test_text_says_asked_and_heard_for_readers_who_see_no_bars() -> None:
    html = meters_html(meters(ASKED, ASKED | {"energy": 0.93}))
    assert "asked </span>0.50" in html
    assert "heard </span>0.93" in html
    assert "0.43 above" in html


def test_pretty_key() -> None:
    assert [pretty_key(key) for key in ("Bb minor", "F# major", "A minor")] == ["B♭ minor", "F♯ major", "A minor"]
