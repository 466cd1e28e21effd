"""Bars from POP909's annotations."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.data.beats import LEAD_IN, beat_map


def annotation(beats: int = 64, bar: int = 4, phase: int = 0, spacing: float = 0.5, **changed) -> dict:
    """Beats from 0.3 s on; chords change and all three annotations count on the bar line."""
    times = [round(0.3 + spacing * i, 3) for i in range(beats)]
    ones = [(i - phase) % bar == 0 for i in range(beats)]
    starts = [t for t, one in zip(times, ones, strict=True) if one]
    half = 3 if bar == 3 else 2
    return {
        "beat_midi": [
            [t, int((i - phase) % half == 0), int(one)] for i, (t, one) in enumerate(zip(times, ones, strict=True))
        ],
        "beat_audio": [[t, (i - phase) % bar + 1] for i, t in enumerate(times)],
        "chord_midi": [[a, a + bar * spacing, "C:maj"] for a in starts],
        **changed,
    }


@pytest.mark.parametrize("bar", [3, 4])
@pytest.mark.parametrize("phase", [0, 1, 2])
def test_annotations_that_agree(bar, phase):
    found = beat_map(annotation(bar=bar, phase=phase))
    assert found.metre == f"{bar}/4"
    assert found.runs == ((0, 64, phase),)
    assert found.tempo == pytest.approx(120.0)


def test_chords_and_the_audio_outvote_the_midi():
    wrong = annotation(phase=3)["beat_midi"]
    assert beat_map(annotation(phase=1, beat_midi=wrong)).runs == ((0, 64, 1),)


def test_a_bar_of_two_beats_starts_a_new_run():
    first, second = annotation(beats=34), annotation(beats=66, phase=2)
    rows = {key: first[key] for key in first}
    for key in ("beat_midi", "beat_audio"):
        rows[key] = first[key] + second[key][34:]
    rows["chord_midi"] = first["chord_midi"] + [c for c in second["chord_midi"] if c[0] > first["beat_midi"][-1][0]]
    runs = beat_map(rows).runs
    assert [run[2] % 4 for run in runs] == [0, 2]
    assert 30 <= runs[1][0] <= 36


def test_times_become_beats_and_keep_their_pace_outside():
    found = beat_map(annotation())
    np.testing.assert_allclose(
        found.numbers(np.array([0.3, 0.55, 1.3, 31.8])), LEAD_IN + np.array([0, 0.5, 2, 63]), atol=1e-9
    )
    np.testing.assert_allclose(found.numbers(np.array([-0.2, 32.8])), LEAD_IN + np.array([-1, 65]), atol=1e-9)


@pytest.mark.parametrize(("bar", "phase"), [(4, 1), (4, 3), (3, 2)])
def test_stretches_keep_whole_bars_before_the_first_bar_line(bar, phase):
    ((start, end),) = beat_map(annotation(bar=bar, phase=phase)).stretches()
    assert (LEAD_IN + phase - start) % bar == 0
    assert start <= LEAD_IN
    assert end == LEAD_IN + 64


def test_too_little_is_no_map():
    assert beat_map({}) is None
    assert beat_map(annotation(beats=12)) is None
