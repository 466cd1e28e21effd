"""Asked against heard: the verdicts are right, and nothing is invented where nothing was measured."""

from __future__ import annotations

import re

import pytest

from musicgen_ui.engine.misses import TOLERANCE
from musicgen_ui.style import SLIDERS
from musicgen_ui.ui.meter_rows import meters_html
from musicgen_ui.ui.meters import (
    NOT_MEASURED,
    compare_keys,
    compare_tempo,
    meters,
    percents,
    pretty_key,
    summary,
)

ASKED = {name: slider.default for name, slider in SLIDERS.items()} | {"key": "A minor", "genre": "pop"}
WIDE = dict.fromkeys(SLIDERS, 0.1) | {"tempo": 0.04}


def row(name: str, asked: dict, heard: dict, **more):
    return next(meter for meter in meters(ASKED | asked, ASKED | heard, tolerance=WIDE, **more) if meter.name == name)


@pytest.mark.parametrize(
    ("asked", "heard", "verdict", "grade"),
    [
        (120, 120.5, "spot on", "good"),
        (120, 124.7, "spot on", "good"),
        (120, 126, "5% too fast", "far"),
        (120, 241, "heard at double time", "fair"),
        (120, 59.5, "heard at half time", "fair"),
        (90, 180, "heard at double time", "fair"),
        (100, 70, "30% too slow", "far"),
    ],
)
def test_tempo_tells_octaves_apart(asked: float, heard: float, verdict: str, grade: str) -> None:
    assert compare_tempo(asked, heard, 0.04) == (verdict, grade)


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


@pytest.mark.parametrize(
    ("heard", "verdict", "grade"),
    [
        (0.52, "spot on", "good"),
        (0.6, "inside tolerance", "good"),
        (0.4, "inside tolerance", "good"),
        (0.65, "a little above", "fair"),
        (0.35, "a little below", "fair"),
        (0.75, "0.25 above", "far"),
        (0.0, "0.50 below", "far"),
    ],
)
def test_a_unit_slider_is_judged_by_its_tolerance(heard: float, verdict: str, grade: str) -> None:
    found = row("Energy", {"energy": 0.5}, {"energy": heard})
    assert (found.verdict, found.grade) == (verdict, grade)


def test_the_band_lies_around_the_asked_tick_and_stays_on_the_track() -> None:
    assert row("Energy", {"energy": 0.5}, {}).band == pytest.approx((0.4, 0.6))
    assert row("Energy", {"energy": 0.0}, {}).band == pytest.approx((0.0, 0.1))
    tempo = row("Tempo", {"tempo": 120.0}, {})
    assert tempo.band == pytest.approx(((115.2 - 60) / 120, (124.8 - 60) / 120))
    assert tempo.tolerance == "4 %"
    html = meters_html([tempo])
    assert 'class="band" style="left:46.0%;right:46.0%"' in html
    assert "plus or minus 4 %" in html


def test_every_slider_has_a_tolerance() -> None:
    assert set(TOLERANCE) >= set(SLIDERS)
    assert TOLERANCE["tempo"] == 0.04
    assert all(0 < TOLERANCE[name] <= 0.25 for name in SLIDERS)


def test_rows_come_in_the_order_of_the_page_with_key_and_genre_last() -> None:
    names = [meter.name for meter in meters(ASKED, dict(ASKED))]
    assert names == [*(slider.name for slider in SLIDERS.values()), "Key", "Genre"]


def test_everything_obeyed_is_spot_on_and_summed_up() -> None:
    rows = meters(ASKED, dict(ASKED))
    assert {meter.verdict for meter in rows} == {"spot on"}
    assert summary(rows) == "10 of 10 inside tolerance"


def test_the_summary_counts_only_what_was_asked_and_heard() -> None:
    heard = ASKED | {"energy": 0.9, "mood": None, "tempo": 220.0}
    assert summary(meters(ASKED | {"genre": None}, heard)) == "6 of 8 inside tolerance, 1 cannot be measured here"
    assert summary(meters({}, {})) == "Nothing could be compared, 10 cannot be measured here"
    assert '<p class="summary">6 of 8 inside' in meters_html(meters(ASKED | {"genre": None}, heard))


def test_nothing_measured_is_said_with_one_reason_and_no_bar_is_drawn() -> None:
    rows = meters(ASKED, {}, reasons={"mood": "Too <few> notes."})
    assert {meter.verdict for meter in rows} == {NOT_MEASURED}
    assert all(meter.hear is None and meter.heard == "" for meter in rows)
    html = meters_html(rows)
    assert 'style="width' not in html
    tips = re.findall(r'tabindex="0">cannot be measured here<span role="tooltip">([^<]+)</span>', html)
    assert len(tips) == len(rows)
    assert tips[1] == "Too &lt;few&gt; notes."
    assert all(tip.endswith(".") for tip in tips)


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


def test_the_genre_is_shown_with_its_probabilities_and_the_asked_blend() -> None:
    shares = {"rock": 0.08, "jazz": 0.615, "pop": 0.2, "folk": 0.004}
    assert percents(shares) == "jazz 62 %, pop 20 %, rock 8 %"
    assert percents({"folk": 0.004}) == ""
    blend = {"jazz": 0.7, "pop": 0.3}
    found = row("Genre", {"genre": "jazz"}, {"genre": "jazz"}, genres=shares, blend=blend)
    assert (found.asked, found.verdict, found.grade) == ("jazz 70 %, pop 30 %", "spot on", "good")
    html = meters_html([found])
    assert "spot on: jazz 62 %, pop 20 %, rock 8 %" in html
    assert re.findall(r'class="(\w+)" style="width:([\d.]+)%"', html) == [
        ("one", "61.5"), ("two", "20.0"), ("three", "8.0"),
    ]  # fmt: skip
    other = row("Genre", {"genre": "jazz"}, {"genre": "pop"}, genres=shares, blend=blend)
    assert (other.verdict, other.grade) == ("one of the blend", "fair")
    assert row("Genre", {"genre": "jazz"}, {"genre": "rock"}, blend=blend).grade == "far"


def test_pretty_key() -> None:
    assert [pretty_key(key) for key in ("Bb minor", "F# major", "A minor")] == ["B♭ minor", "F♯ major", "A minor"]


def test_a_slider_that_is_hard_to_hear_says_so_where_it_seems_to_miss():
    from musicgen_ui.engine.listen import PRECISION

    rows = {m.name: m for m in meters({"density": 0.2, "brightness": 0.2}, {"density": 0.6, "brightness": 0.6})}
    assert f"{PRECISION['density']:.2f}" in rows["Density"].why
    assert rows["Brightness"].why == "", "that is heard well"
    assert {m.name: m for m in meters({"density": 0.2}, {"density": 0.21})}["Density"].why == ""
