"""What lies outside a region stays the very same; what is new neither begins in a kept note nor rings out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.engine.splice import SLACK, Region, spliced
from musicgen_ui.music.score import PARTS, Chord, Note, Score, from_ticks


def line(*notes):
    return tuple(Note(onset, pitch, duration, 80) for onset, pitch, duration in notes)


def song(parts, bars=4, metre="4/4"):
    return Score(100.0, metre, bars, parts, (Chord(0.0, bars * 4.0, 0, "maj"),), "C major")


def random_score(seed, metre="4/4"):
    rng = np.random.default_rng(seed)
    beats = 6 * (4 if metre == "4/4" else 3)
    parts = {}
    for part in PARTS:
        ticks = np.sort(rng.choice(beats * 24 - 1, 60, replace=False))
        spans = rng.integers(1, 72, 60)
        parts[part] = tuple(
            Note(from_ticks(int(t)), int(rng.integers(40, 60)), min(from_ticks(int(d)), beats - from_ticks(int(t))), 80)
            for t, d in zip(ticks, spans, strict=True)
        )
    return Score(100.0, metre, 6, parts, (Chord(0.0, float(beats), seed % 12, "min"),), "C major")


@pytest.mark.parametrize("metre", ["4/4", "3/4"])
@pytest.mark.parametrize("seed", range(6))
def test_outside_the_region_everything_is_the_same_and_nothing_rings_out(seed, metre):
    old, new = random_score(seed, metre), random_score(seed + 100, metre)
    region = Region(("lead", "chords"), 2, 4)
    result = spliced(old, new, region, harmony=True)
    assert region.kept(result).parts == region.kept(old).parts
    assert result.parts["drums"] is old.parts["drums"]
    end = 4.0 * old.beats_per_bar
    for part in region.parts:
        inside = [n for n in result.notes(part) if region.holds(n, result)]
        assert inside
        assert all(n.onset + n.duration <= end for n in inside)
        assert {(n.onset, n.pitch) for n in inside if n not in new.notes(part)} <= {
            (n.onset, n.pitch) for n in result.notes(part)
        }


@pytest.mark.parametrize("seed", range(6))
def test_new_notes_leave_room_for_kept_ones(seed):
    old, new = random_score(seed), random_score(seed + 100)
    region = Region(("lead", "drums"), 2, 4)
    result = spliced(old, new, region, harmony=False)
    for part, one_voice in (("lead", True), ("drums", False)):
        kept = region.kept(old).notes(part)
        for note in (n for n in result.notes(part) if region.holds(n, result)):
            for other in (k for k in kept if one_voice or k.pitch == note.pitch):
                over = min(other.onset + other.duration, note.onset + note.duration) - max(other.onset, note.onset)
                assert over <= (SLACK if other.pitch != note.pitch else 0.0)


def test_a_note_that_is_played_early_belongs_to_its_bar():
    early = line((0.0, 60, 1.0), (3.9, 62, 1.0))
    old = song({"lead": early})
    assert Region(("lead",), 1, 2).kept(old).notes("lead") == early[:1]
    assert Region(("lead",), 0, 1).kept(old).notes("lead") == early[1:]


def test_a_new_note_waits_for_a_kept_one_to_end():
    old = song({"lead": line((3.0, 60, 2.0)), "chords": line((3.0, 60, 2.0))})
    new = song({"lead": line((4.0, 72, 1.0), (5.0, 74, 1.0)), "chords": line((4.0, 60, 1.0), (4.0, 64, 1.0))})
    result = spliced(old, new, Region(("lead", "chords"), 1, 2), harmony=False)
    assert result.notes("lead") == line((3.0, 60, 2.0), (5.0, 74, 1.0))
    assert result.notes("chords") == line((3.0, 60, 2.0), (4.0, 64, 1.0))


def test_the_same_pitch_starts_where_a_kept_note_that_hangs_over_a_little_ends():
    old = song({"lead": line((3.0, 60, 1.0625))})
    new = song({"lead": line((4.0, 60, 1.0))})
    assert spliced(old, new, Region(("lead",), 1, 2), harmony=False).notes("lead")[1] == Note(4.0625, 60, 0.9375, 80)


def test_harmony_comes_from_where_it_is_asked_for():
    old, new = song({"lead": ()}), replace(song({"lead": ()}), chords=(Chord(0.0, 16.0, 7, "7"),))
    region = Region(("lead",), 1, 3)
    assert spliced(old, new, region, harmony=False).chords is old.chords
    assert spliced(old, new, region, harmony=True).chords == (
        Chord(0.0, 4.0, 0, "maj"), Chord(4.0, 8.0, 7, "7"), Chord(12.0, 4.0, 0, "maj"),
    )  # fmt: skip
