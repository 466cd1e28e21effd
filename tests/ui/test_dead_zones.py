"""Dead zones as a style sheet: on the right slider, at the right place, and nothing where all answers."""

from __future__ import annotations

import re

import pytest

from musicgen_ui.ui.dead_zones import THUMB, zone_words, zones_html

LAYER = r"calc\(([-\d.]+)% \+ ([-\d.]+)px\) 0/calc\(([-\d.]+)% \+ ([-\d.]+)px\)"


def drawn(html: str, track: float = 218.0) -> list[tuple[float, float]]:
    """(left, right) of every hatched stretch in pixels, as a browser lays them out on a track of this width."""
    found = []
    for at, shift, share, pixels in (map(float, layer) for layer in re.findall(LAYER, html)):
        width = share / 100 * track + pixels
        left = at / 100 * (track - width) + shift
        found.append((left, left + width))
    return found


@pytest.mark.parametrize("span", [(0.2, 0.5), (0.0, 0.15), (0.8, 1.0), (0.45, 0.55), (0.0, 1.0)])
def test_a_stretch_begins_and_ends_where_the_thumb_stands_at_its_values(span: tuple[float, float]) -> None:
    ((left, right),) = drawn(zones_html({"mood": [span]}))
    low, high = (THUMB / 2 + value * (218 - THUMB) for value in span)
    assert left == pytest.approx(low if span[0] > 0 else 0, abs=0.1)
    assert right == pytest.approx(high if span[1] < 1 else 218, abs=0.1)


def test_every_slider_has_its_own_rule_and_unit() -> None:
    html = zones_html({"tempo": [(150, 180)], "energy": [(0.9, 1.0), (0.0, 0.1)], "loudness": [(0, 1)]})
    assert html.startswith("<style>#tempo{--dead:")
    assert html.count("--dead") == 2
    assert "loudness" not in html
    assert len(drawn(html)) == 3
    assert "above 150" in html
    assert "below 0.1 and above 0.9" in html


def test_where_all_answers_there_is_nothing() -> None:
    assert zones_html({}) == ""
    assert zones_html({"mood": []}) == ""
    assert zones_html({"mood": [(0.4, 0.4), (1.2, 1.5), (float("nan"), 0.5)]}) == ""


def test_the_tooltip_says_where() -> None:
    assert "from 0.2 to 0.35" in zone_words("density", [(0.2, 0.35)])
