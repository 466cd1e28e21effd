"""Measures answer what they claim to measure, and only that."""

from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.music.measures import MEASURED, complexity, density, energy, measure, mood, syncopation
from musicgen_ui.music.score import Chord, Note, Score

C_MAJOR, A_MINOR = (60, 62, 64, 65, 67, 69, 71, 72), (57, 59, 60, 62, 64, 65, 68, 69)


def line(pitches, step=1.0, velocity=80, shift=0.0) -> Score:
    notes = tuple(Note(i * step + shift, p, step / 2, velocity) for i, p in enumerate(pitches))
    return Score(100.0, "4/4", 2, {"lead": notes})


def test_mood_tells_the_modes_apart_and_ignores_transposition():
    weights = (4, 1, 3, 1, 3, 1, 1, 2)
    major = Score(
        100.0,
        "4/4",
        4,
        {"lead": tuple(Note(i, p, w, 80) for i, (p, w) in enumerate(zip(C_MAJOR, weights, strict=True)))},
    )
    minor = Score(
        100.0,
        "4/4",
        4,
        {"lead": tuple(Note(i, p, w, 80) for i, (p, w) in enumerate(zip(A_MINOR, weights, strict=True)))},
    )
    assert mood(major) > 0.05 > -0.05 > mood(minor)
    for shift in range(1, 12):
        assert mood(major.transposed(shift)) == pytest.approx(mood(major))


@pytest.mark.parametrize(("step", "expected"), [(2.0, 0.5), (1.0, 1.0), (0.5, 2.0)])
def test_density_counts_distinct_onsets_a_beat(step, expected):
    score = line([60] * int(8 / step), step)
    assert density(score) == pytest.approx(expected)
    doubled = replace(score, parts={**score.parts, "bass": score.parts["lead"]})
    assert density(doubled) == density(score)


def test_syncopation_is_the_share_off_the_beat():
    assert syncopation(line([60] * 8)) == 0.0
    assert syncopation(line([60] * 8, shift=0.5)) == 1.0
    assert syncopation(line([60] * 16, step=0.5)) == pytest.approx(0.5)


def test_energy_rises_with_velocity_but_not_with_density():
    assert energy(line([60] * 8, velocity=110)) > energy(line([60] * 8, velocity=60))
    assert energy(line([60] * 16, step=0.5)) == pytest.approx(energy(line([60] * 8)))


def test_complexity_rises_with_pitches_and_chord_changes():
    plain = line([60, 67] * 4)
    rich = line([60, 61, 62, 63, 64, 65, 66, 67])
    assert complexity(rich) > complexity(plain)
    moving = replace(plain, chords=tuple(Chord(float(i), 1.0, i, "maj") for i in range(8)))
    assert complexity(moving) > complexity(plain)


def test_what_is_not_there_is_not_measured():
    drums = Score(100.0, "4/4", 1, {"drums": (Note(0.0, 36, 0.25, 100),)})
    values = measure(drums)
    assert values["mood"] is None
    assert values["complexity"] is None
    assert values["energy"] is not None
    silent = measure(Score(100.0, "4/4", 1, {"lead": ()}))
    assert silent == {"mood": None, "energy": None, "density": 0.0, "syncopation": None, "complexity": None}
    assert tuple(silent) == MEASURED


def test_micro_timing_does_not_count_as_another_onset():
    rng = np.random.default_rng(0)
    score = line([60] * 8)
    loose = replace(
        score,
        parts={
            "lead": tuple(
                sorted(
                    replace(n, onset=max(0.0, n.onset + float(rng.integers(-2, 3)) / 24)) for n in score.parts["lead"]
                )
            )
        },
    )
    assert density(loose) == density(score)
    assert syncopation(loose) == 0.0
