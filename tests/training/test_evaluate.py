"""The judge against clips whose faults are known, and the sanity table against songs whose statistics are known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.music.theory import KEYS, key_is_minor
from musicgen_ui.recipe import Recipe
from musicgen_ui.training.evaluate import (
    clip_recipes,
    evaluate_clips,
    held_out_sections,
    judge,
    longest_silence,
    random_recipes,
    sanity_table,
    summarise,
    tempo_verdict,
)

RATE = 44_100


def score_of(bars=2, pitch=60, tempo=120.0, parts=("lead",)) -> Score:
    notes = tuple(Note(float(beat), pitch + beat % 2 * 2, 1.0, 90) for beat in range(bars * 4))
    return Score(tempo, "4/4", bars, dict.fromkeys(parts, notes), key="C major")


@dataclass(frozen=True)
class Made:
    """A clip at -16 LUFS without a fault, unless a test breaks it."""

    score: Score
    clip: Clip
    asked: dict[str, Any] = field(default_factory=lambda: {"tempo": 120.0, "key": "C major"})
    heard: dict[str, Any] = field(default_factory=lambda: {"tempo": 121.0, "key": "C major"})
    seconds: dict[str, float] = field(default_factory=lambda: {"compose": 0.25, "mix": 0.5})


def made(samples=None) -> Made:
    score = score_of()
    if samples is None:
        time = np.arange(score.samples()) / RATE
        # A 997 Hz sine of full scale in one channel is -3.01 LUFS (ITU-R BS.1770), in both 0.
        samples = np.stack([10 ** (-16 / 20) * np.sin(2 * np.pi * 997 * time)] * 2)
    return Made(score, Clip(np.asarray(samples, dtype=np.float32)))


def broken(change) -> Made:
    samples = made().clip.samples.copy()
    return made(change(samples))


def test_a_clean_clip_has_no_faults():
    verdict = judge(made())
    assert verdict.faults == ()
    assert verdict.loudness == pytest.approx(-16.0, abs=0.05)
    assert verdict.true_peak == pytest.approx(-16.0, abs=0.1)
    assert (verdict.tempo, verdict.key, verdict.key_weighted) == ("exact", True, 1.0)


def silenced(samples):
    samples[:, RATE : 3 * RATE] = 0
    return samples


def with_nan(samples):
    samples[0, 100] = np.nan
    return samples


def between_samples(samples):
    """A tone at a quarter of the rate, 45 degrees off: its peaks fall between samples, 3 dB above them."""
    n = np.arange(samples.shape[1])
    return np.stack([0.95 * np.sin(np.pi / 2 * n + np.pi / 4)] * 2)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(with_nan, "finite", id="nan"),
        pytest.param(lambda s: s + 0.002, "dc", id="dc"),
        pytest.param(between_samples, "true peak", id="peak-between-samples"),
        pytest.param(lambda s: s * 0.8, "loudness", id="quiet"),
        pytest.param(lambda s: s * 1.25, "loudness", id="loud"),
        pytest.param(lambda s: s[:, :-1], "length", id="one-sample-short"),
        pytest.param(silenced, "silence", id="two-seconds-of-silence"),
    ],
)
def test_a_fault_is_found(change, fault):
    assert fault in judge(broken(change)).faults


def test_an_inter_sample_peak_is_measured():
    assert judge(broken(between_samples)).true_peak == pytest.approx(20 * np.log10(0.95), abs=0.2)
    assert np.abs(between_samples(made().clip.samples)).max() < 0.68


@pytest.mark.parametrize(
    ("heard", "verdict"),
    [(100.0, "exact"), (103.9, "exact"), (104.1, "wrong"), (96.1, "exact"), (95.9, "wrong"), (199.0, "octave"),
     (50.5, "octave"), (33.3, "octave"), (298.0, "octave"), (75.0, "wrong"), (None, None)],
)  # fmt: skip
def test_tempo_verdicts(heard, verdict):
    assert tempo_verdict(100.0, heard) == verdict


def test_a_relative_key_is_no_exact_key_but_weighs():
    verdict = judge(replace(made(), heard={"tempo": None, "key": "A minor"}))
    assert (verdict.tempo, verdict.key, verdict.key_weighted) == (None, False, 0.3)
    assert judge(replace(made(), heard={"tempo": None, "key": None})).key_weighted == 0.0


def test_silence_at_either_end_counts():
    samples = np.zeros((2, 1000))
    samples[1, 400] = 0.5
    assert longest_silence(samples, 100) == pytest.approx(5.99)
    assert longest_silence(np.zeros((2, 1000)), 100) == 10.0


def test_the_summary_counts():
    verdicts = [
        judge(made()),
        judge(replace(made(), heard={"tempo": 240.0, "key": "G major"})),
        judge(broken(silenced)),
    ]
    summary = summarise(verdicts, [{"compose": 1.0, "mix": 1.0}, {"compose": 2.0, "mix": 1.0}, {"compose": 9.0}])
    assert summary["tempo"]["within 4 %, octave aside"] == 1.0
    assert summary["tempo"]["within 4 %"] == pytest.approx(2 / 3)
    assert summary["tempo"]["octave"] == pytest.approx(1 / 3)
    assert summary["key"]["exact"] == pytest.approx(2 / 3)
    assert summary["key"]["weighted"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert summary["hygiene"]["clips without fault"] == 2
    assert summary["hygiene"]["faults"] == {"silence": 1}
    assert summary["seconds"]["compose"] == {"median": 2.0, "slowest": 9.0}
    assert summary["seconds"]["total"]["slowest"] == 9.0


def test_recipes_walk_through_tempos_keys_and_genres():
    recipes = list(clip_recipes())
    assert len(recipes) == 60
    assert len({r.style.tempo for r in recipes}) == 20
    assert (min(r.style.tempo for r in recipes), max(r.style.tempo for r in recipes)) == (60.0, 180.0)
    assert len({r.style.key for r in recipes}) == 24
    assert len({next(iter(r.style.genre)) for r in recipes}) == 11
    assert {r.seed for r in recipes} == {0, 1, 2}


def test_random_recipes_have_every_key_and_a_mood_of_its_mode():
    recipes = list(random_recipes(48, Recipe(bars=4, rounds=2, synth="soundfont")))
    assert sorted(r.style.tempo for r in recipes) == pytest.approx(np.linspace(60, 180, 48), abs=0.06)
    assert {r.style.key for r in recipes} == set(KEYS)
    assert all((r.style.mood < 0.5) == key_is_minor(r.style.key) for r in recipes if r.style.mood != 0.5)
    assert len({r.style.density for r in recipes}) > 40
    assert {(r.bars, r.rounds, r.synth) for r in recipes} == {(4, 2, "soundfont")}
    assert recipes == list(random_recipes(48, Recipe(bars=4, rounds=2, synth="soundfont")))


def test_what_was_right_at_first_stands_beside_what_was_kept():
    wrong = {"heard": {"tempo": 240.0, "key": "A minor"}}
    result = SimpleNamespace(**vars(made()), rounds=(wrong, {}))
    recipes = list(clip_recipes(1, 2, Recipe(bars=2, rounds=1)))
    report = evaluate_clips(lambda recipe: result, recipes, None)
    assert report["first"] == {"tempo": 0.0, "key": 0.0}
    assert report["tempo"]["within 4 %"] == 1.0
    assert "first" not in evaluate_clips(lambda recipe: result, list(clip_recipes(1, 1)), None)


class Store:
    """A PieceStore of scores."""

    def __init__(self, **scores):
        self.scores = scores

    def index(self):
        return [
            SimpleNamespace(id=i, split="train" if i.startswith("train") else "test", parts=tuple(s.parts), bars=s.bars)
            for i, s in self.scores.items()
        ]

    def read(self, name):
        return SimpleNamespace(score=self.scores[name])


def test_held_out_sections_are_whole_and_of_test_songs_with_four_parts():
    store = Store(
        train_song=score_of(32, parts=PARTS),
        short=score_of(15, parts=PARTS),
        melody=score_of(32),
        song=score_of(50, parts=PARTS),
        silent=Score(120.0, "4/4", 16, dict.fromkeys(PARTS, ())),
    )
    sections = list(held_out_sections(store, 16))
    assert [section.bars for section in sections] == [16, 16]
    assert all(set(section.parts) == set(PARTS) for section in sections)


def test_clips_like_the_songs_are_inside_and_others_are_not():
    songs = [score_of(16, pitch=60 + n) for n in range(12)]
    rows = {row["statistic"]: row for row in sanity_table(songs, songs)}
    assert all(row["inside"] for row in rows.values())
    assert all(row["share inside"] >= 0.8 for row in rows.values())
    busy = [replace(s, parts={"lead": tuple(sorted(s.parts["lead"] * 5))}) for s in songs]
    rows = {row["statistic"]: row for row in sanity_table(busy, songs)}
    assert not rows["notes per beat"]["inside"]
    assert rows["notes per beat"]["share inside"] == 0.0
    assert rows["notes per beat"]["median"] == 5.0
    assert rows["notes per beat"]["p50"] == 1.0
    assert rows["longest note (beats)"]["inside"]


def test_the_whole_report_is_json():
    done = []
    recipes = list(clip_recipes(2, 1, Recipe(bars=2)))
    store = Store(song=score_of(4, parts=PARTS))
    report = evaluate_clips(lambda recipe: made(), recipes, store, lambda *step: done.append(step))
    assert done == [(1, 2), (2, 2)]
    assert json.dumps(report, allow_nan=False)
    assert report["clips"] == len(report["each clip"]) == 2
    assert {row["statistic"] for row in report["sanity"]} >= {"in-key rate", "notes per beat"}
    assert evaluate_clips(lambda recipe: made(), recipes, None)["sanity"] == []
