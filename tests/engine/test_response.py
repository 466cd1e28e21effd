"""Curves and their inverse, dead zones, the belief about one clip, and the file that ships."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.engine.misses import CORRECTED
from musicgen_ui.engine.response import (
    LEVELS,
    MAX_STEP,
    Belief,
    Curve,
    Response,
    Responses,
    share_of,
    value_at,
)
from musicgen_ui.errors import RequestError
from musicgen_ui.style import SLIDERS, Style

LINE = np.linspace(0, 1, LEVELS)


def curve(heard, half=0.05) -> Curve:
    heard = np.asarray(heard, dtype=float)
    return Curve(tuple(heard), tuple(heard - half), tuple(heard + half))


@pytest.mark.parametrize("heard", [LINE, LINE**2, np.sqrt(LINE), 0.2 + 0.6 * LINE, np.tanh(1.5 * LINE)])
def test_the_inverse_is_told_so_that_the_wanted_is_heard(heard):
    measured = curve(heard)
    for wanted in np.linspace(0, 1, 23):
        told = measured.inverse(wanted)
        assert 0 <= told <= 1
        assert abs(told - wanted) <= MAX_STEP + 1e-9
        reachable = measured.at(np.clip([wanted - MAX_STEP, wanted + MAX_STEP], 0, 1))
        assert measured.at(told) == pytest.approx(np.clip(wanted, *reachable), abs=0.02)


def test_a_deaf_slider_is_left_where_it_was_asked():
    nearly_flat = curve(0.6 + 0.05 * (LINE - 0.5))
    assert [nearly_flat.inverse(v) for v in LINE] == pytest.approx(LINE)
    belief = Belief(nearly_flat, 0.3).after(0.3, 0.62).after(0.3, 0.61)
    assert abs(belief.advice() - 0.3) <= MAX_STEP


def test_the_inverse_of_the_unknown_is_the_identity():
    assert [Curve.unknown().inverse(v) for v in LINE] == pytest.approx(LINE)


def test_the_inverse_allows_for_what_a_clip_showed():
    assert Curve.unknown().inverse(0.5, offset=0.1) == pytest.approx(0.4, abs=0.005)
    assert Curve.unknown().inverse(0.95, offset=-0.2) == 1.0
    told = Curve.unknown().inverse(0.5, offset=0.1, gain=1.0)
    assert told == pytest.approx(0.45, abs=0.005), "twice as steep, so half the way"


@pytest.mark.parametrize("seed", range(5))
def test_the_rising_curve_is_the_nearest_that_never_falls(seed):
    isotonic = pytest.importorskip("sklearn.isotonic")
    heard = np.random.default_rng(seed).uniform(0, 1, LEVELS)
    np.testing.assert_allclose(curve(heard).rising, isotonic.isotonic_regression(heard), atol=1e-12)


def test_dead_zones_are_where_nothing_moves():
    assert curve(LINE).dead_zones() == ()
    assert curve(np.minimum(LINE, 0.5)).dead_zones() == ((0.5, 1.0),)
    assert curve(np.maximum(LINE, 0.25)).dead_zones() == ((0.0, 0.25),)
    assert curve(np.full(LEVELS, 0.4)).dead_zones() == ((0.0, 1.0),)
    both = np.interp(LINE, [0, 0.25, 0.75, 1], [0.3, 0.3, 0.7, 0.7])
    assert curve(both).dead_zones() == ((0.0, 0.25), (0.75, 1.0))
    one_segment = LINE.copy()
    one_segment[5] = one_segment[4]
    assert curve(one_segment).dead_zones() == (), "one segment may be chance"


def test_dead_zones_are_told_in_the_unit_of_the_slider():
    response = Response({"tempo": curve(np.minimum(LINE, 0.5))})
    assert response.dead_zones("tempo") == ((120.0, 180.0),)
    assert response.dead_zones("mood") == ()


def test_a_belief_learns_the_offset_of_a_clip_and_its_slope():
    """Without noise the advice must lead to what was asked, whatever line the clip follows."""
    for offset, slope in [(0.15, 1.0), (-0.2, 1.0), (0.1, 0.6), (-0.1, 1.4)]:
        belief = Belief(curve(LINE, half=0.03), asked=0.5, clip_share=0.99)
        told = 0.5
        for _ in range(4):
            belief = belief.after(told, 0.5 + offset + slope * (told - 0.5))
            told = belief.advice()
        assert 0.5 + offset + slope * (told - 0.5) == pytest.approx(0.5, abs=0.02)


def test_a_noisy_slider_is_corrected_less_and_each_hearing_narrows_the_belief():
    sure, unsure = (Belief(Curve.unknown(), 0.5, clip_share=share).after(0.5, 0.7) for share in (0.9, 0.2))
    assert sure.advice() < unsure.advice() < 0.5
    narrower = sure.after(0.3, 0.5)
    assert narrower.deviation(0.4) < sure.deviation(0.4) < Belief(Curve.unknown(), 0.5, clip_share=0.9).deviation(0.4)
    assert sure.expected(0.5) == pytest.approx(0.7, abs=0.03)


def test_what_is_told_first_comes_from_the_curves_and_keeps_the_mode():
    compressed = curve(0.25 + 0.5 * LINE)
    response = Response(dict.fromkeys(("mood", "density"), compressed))
    style = Style(density=0.6, energy=0.9, mood=0.52)
    told = response.first_told(style, ("mood", "density", "energy"))
    assert told.density == pytest.approx(0.7)
    assert told.energy == 0.9, "nobody measured it"
    assert told.mood >= 0.5
    high = Response({"mood": curve(np.minimum(LINE + 0.2, 1))})
    assert high.first_told(style, ("mood",)).mood == 0.5, "the inverse must not turn major into minor"
    assert Response().first_told(style, tuple(SLIDERS)) is style


def test_values_and_shares_never_leave_the_range():
    for key, slider in SLIDERS.items():
        assert value_at(key, share_of(key, slider.default)) == pytest.approx(slider.default)
        assert (value_at(key, -3.0), value_at(key, 7.0)) == (slider.low, slider.high)


def test_the_file_keeps_thousandths_and_stays_small(tmp_path):
    rng = np.random.default_rng(1)
    response = Response({key: curve(np.sort(rng.uniform(0, 1, LEVELS))) for key in CORRECTED})
    table = {composer: dict.fromkeys(("vaegan", "soundfont", "wavenet"), response) for composer in ("a", "b")}
    Responses(table).save(tmp_path / "control.json", bars=16)
    assert (tmp_path / "control.json").stat().st_size < 6 * 1024
    read = Responses.load(tmp_path / "control.json")
    for key in CORRECTED:
        np.testing.assert_allclose(read.of("a", "vaegan").curve(key).heard, response.curve(key).heard, atol=5.1e-4)
        assert read.of("b", "wavenet").curve(key).spread == pytest.approx(response.curve(key).spread, abs=1e-3)
    assert read.of("a", "unheard of").curves == {}
    assert Responses.load(tmp_path / "absent.json").of("a", "vaegan").curves == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"curves": {"a": {"b": {"mood": [[1, 2], [1, 2], [1, 2]]}}}}',
        '{"curves": {"a": {"b": {"no slider": []}}}}',
        '{"curves": {"a": 3}}',
        '{"curves": {"a": {"b": {"mood": [[NaN,1,1,1,1,1,1,1,1],[1,1,1,1,1,1,1,1,1],[1,1,1,1,1,1,1,1,1]]}}}}',
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, text):
    (tmp_path / "control.json").write_text(text)
    with pytest.raises(RequestError, match=r"control.json: the curves of the sliders cannot be read"):
        Responses.load(tmp_path / "control.json")
