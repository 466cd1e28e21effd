"""The numbers of ``evaluate form`` on scores and clips whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.cli.evaluate_form import print_form, sound_recipes
from musicgen_ui.music.form import Shape, plan_form
from musicgen_ui.music.frame import closed
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.training.evaluate_form import (
    bar_likeness,
    closing_report,
    drawn_styles,
    ending_report,
    evaluate_form,
    form_report,
    label_likeness,
    last_level,
    loop_report,
)

BARS = {"A": (60, 62, 64, 65), "B": (67, 67, 69, 67), "C": (72, 71, 69, 67)}


def song(letters: str) -> Score:
    """A bar a letter, a note a beat."""
    notes = tuple(Note(4.0 * i + j, p, 1.0, 90) for i, letter in enumerate(letters) for j, p in enumerate(BARS[letter]))
    chords = (Chord(0.0, 4.0 * len(letters), 0, "maj"),)
    return Score(120.0, "4/4", len(letters), {"lead": notes}, chords, "C major")


def test_sections_of_one_label_are_alike():
    sections = plan_form("AABA", 4)
    assert label_likeness(song("AABA"), sections) == {"within": 1.0, "between": pytest.approx(0.0)}
    assert label_likeness(song("AAAA"), sections) == {"within": 1.0, "between": 1.0}
    assert label_likeness(song("AACA"), plan_form("free", 4)) == {"within": None, "between": None}


def test_bars_are_compared_by_what_starts_in_them():
    matrix = bar_likeness(song("ABA"))
    assert matrix[0, 2] == 1.0
    assert matrix[0, 1] == 0.0
    assert np.isnan(bar_likeness(Score(100.0, "4/4", 1, {"lead": ()}))[0, 0])


def test_a_report_says_whether_the_labels_are_separated():
    sections = plan_form("ABAB", 4)
    report = form_report([song("ABAB"), song("AAAA")], [song("ABCA")], sections)
    assert report["separated"] == 0.5
    assert report["form"]["within"] == 1.0
    assert report["free"]["within"] == 0.0
    assert report["matrix"][0][2] == 1.0
    assert report["matrix"][0][1] == 0.5


def test_endings_are_told_from_stops():
    assert set(ending_report([closed(song("AB"))]).values()) == {1.0}
    assert ending_report([song("AB")]) == {"tonic chord": 1.0, "chord tone on top": 1.0, "held": 0.0}


def clip_of(samples):
    return Clip(np.tile(samples.astype(np.float32), (2, 1)))


def test_the_end_is_listened_to():
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    fading = tone * np.clip(np.linspace(1.2, -0.2, len(tone)), 0, 1)
    assert last_level(clip_of(tone)) == pytest.approx(-6, abs=0.1)
    report = closing_report([SimpleNamespace(clip=clip_of(s), score=None) for s in (tone, fading)])
    assert (report["clips"], report["silent"], report["clicks"]) == (2, 0.5, 0)


def test_joins_are_compared_with_the_bar_lines_inside():
    rng = np.random.default_rng(2)
    beat = np.convolve(rng.standard_normal(22_050) * np.exp(-np.arange(22_050) / 5000), np.hanning(64) / 32, "same")
    score = song("AB")
    loop = SimpleNamespace(clip=clip_of(0.1 * np.tile(beat, 8)), score=score)
    cut = SimpleNamespace(clip=clip_of(0.1 * np.tile(beat, 8) * np.repeat([1] * 7 + [0.001], 22_050)), score=score)
    report = loop_report([loop, cut])
    assert (report["clips"], report["exact length"], report["hidden"]) == (2, 1.0, 0.5)
    assert report["joins"]["none stands out"] == 0.5
    assert report["bar lines inside"]["none stands out"] == 1.0


def test_the_whole_report_can_be_printed(capsys):
    asked = []

    def write(composer, styles, bars, shape):
        asked.append((composer, shape))
        made = song("ABAC")
        return [closed(made) if shape.ending == "close" else made] * len(styles)

    def make(recipe):
        return SimpleNamespace(clip=clip_of(np.tile(np.hanning(22_050), 8 * 4)), score=song("ABABABAB"))

    recipes = sound_recipes(2, ["wavenet", "lstm"], "soundfont")
    assert [r.composer for r in recipes["loop"]] == ["wavenet", "lstm"]
    assert all(isinstance(r, Recipe) and r.ending == e for e, group in recipes.items() for r in group)
    report = evaluate_form(write, make, recipes, composers=["lstm"], forms=["ABAB"], clips=2, bars=4, hook=lambda: None)
    print_form(report)
    assert "ABAB" in capsys.readouterr().out
    assert asked == [("lstm", Shape("free", ending="open")), ("lstm", Shape("ABAB"))]


def test_styles_are_drawn_from_their_seed():
    assert drawn_styles(3) == drawn_styles(3)
    assert drawn_styles(3) != drawn_styles(3, seed=1)
