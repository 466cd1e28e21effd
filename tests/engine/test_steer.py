"""Targets that contradict each other give way, the trim is one factor, and a closing chord is counted."""

import numpy as np
import pytest

from musicgen_ui.engine.steer import LOUDER, Steering, attainable, levelled, slider_guide
from musicgen_ui.models.condition import condition_of
from musicgen_ui.models.steering import STEERED
from musicgen_ui.music.frame import closed
from musicgen_ui.music.measures import MEASURED, chroma, energy
from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import PartSetting, Style

SPANS = {"density": (0, 4), "syncopation": (0, 1), "energy": (-2, 2), "mood": (-0.4, 0.4), "complexity": (0.5, 1.2)}
SCALES = {key: UnitScale.fit(np.linspace(*SPANS[key], 400)) for key in MEASURED}
MIDDLE = dict.fromkeys(MEASURED, 0.5)


def test_what_can_be_met_stays_as_it_is():
    assert attainable(MIDDLE, 4, SCALES) == MIDDLE
    for density, syncopation in ((0.2, 0.0), (0.0, 1.0), (1.0, 0.9)):
        wanted = MIDDLE | {"density": density, "syncopation": syncopation}
        assert attainable(wanted, 4, SCALES) == wanted


def test_busy_and_straight_both_give_way_and_more_with_fewer_parts():
    wanted = MIDDLE | {"density": 0.9, "syncopation": 0.01}
    given = {parts: attainable(wanted, parts, SCALES) for parts in (1, 4)}
    for units in given.values():
        assert 2 * (0.9 - units["density"]) == pytest.approx(units["syncopation"] - 0.01)
        assert units["density"] < 0.9
        assert {key: units[key] for key in ("mood", "energy", "complexity")} == dict.fromkeys(
            ("mood", "energy", "complexity"), 0.5
        )
    assert given[1]["density"] < given[4]["density"]


def score(velocity=80):
    notes = tuple(Note(float(i), 60 + i, 1.0, velocity - 5 * (i % 3)) for i in range(8))
    return Score(100.0, "4/4", 2, {"lead": notes, "drums": (Note(0.0, 36, 0.25, velocity),)}, key="C major")


def test_levelling_reaches_its_target_by_one_factor():
    target = energy(score()) + 0.4
    louder = levelled(score(), target)
    assert energy(louder) == pytest.approx(target, abs=0.02)
    ratios = [a.velocity / b.velocity for a, b in zip(louder.notes("lead"), score().notes("lead"), strict=True)]
    assert max(ratios) - min(ratios) < 0.02
    unchanged = [(n.onset, n.pitch, n.duration) for n in louder.notes("lead")]
    assert unchanged == [(n.onset, n.pitch, n.duration) for n in score().notes("lead")]


@pytest.mark.parametrize(("target", "factor"), [(-50.0, LOUDER[0]), (50.0, LOUDER[1])])
def test_levelling_is_bounded(target, factor):
    moved = levelled(score(60), target)
    assert [n.velocity for n in moved.notes("lead")] == [round(n.velocity * factor) for n in score(60).notes("lead")]
    loud = levelled(score(120), 50.0)
    assert max(n.velocity for n in loud.notes("lead")) == 127
    silent = Score(100.0, "4/4", 1, {"lead": ()})
    assert levelled(silent, 1.0) == silent


def guide(style, steering=None, closes=False):
    condition = condition_of(style, minor=False)
    return slider_guide(
        condition, SCALES, DrumVocabulary((0, 1)), steps=64, steering=steering or Steering(), closes=closes
    )


def test_targets_replace_the_styles_own():
    assert guide(Style(), Steering(strength=0.0)) is None
    style = Style(density=0.25)
    plain, moved = guide(style), guide(style, Steering(targets={"density": 0.75}))
    assert float(plain.onsets.density) == pytest.approx(1.0)
    assert float(moved.onsets.density) == pytest.approx(3.0)
    assert STEERED == ("mood", "energy", "density", "syncopation", "complexity")


def test_the_closing_chord_is_the_one_that_will_be_played():
    style = Style(density=0.5, parts={"lead": PartSetting(on=False)})
    closing = guide(style, closes=True).now.closing
    played = Score(
        100.0,
        "4/4",
        4,
        {"bass": (Note(0.0, 36, 1.0, 80),), "chords": (Note(0.0, 60, 1.0, 80),), "drums": (Note(0.0, 36, 0.25, 80),)},
        key="C major",
    )
    added = chroma(closed(played)) - chroma(played)
    np.testing.assert_allclose(closing.chroma[0].numpy(), added)
    assert (closing.after, closing.beats) == (12.0, 4.0)
    # Two onsets a beat over the whole clip, of which the last bar has one.
    assert float(guide(style, closes=True).onsets.density) == pytest.approx((2.0 * 16 - 1) / 12)
