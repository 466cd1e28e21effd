"""Simulated people: their hidden tastes are what they say, and the measure of the learner is honest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.library import taste_simulation
from musicgen_ui.library.taste_people import FLIPPED, KINDS, LIKED_SHARE, Truth, simulated_person
from musicgen_ui.library.taste_simulated_radio import SimulatedStudio, measure_radio
from musicgen_ui.library.taste_simulation import LEARNERS, auc, measure_learning
from musicgen_ui.library.taste_styles import from_everywhere
from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, SLIDERS


def made_up(count: int) -> list[dict]:
    """Rows as ``evaluate taste`` makes them, of a studio that nearly obeys."""
    generator, clips = np.random.default_rng(3), []
    for number in range(count):
        style = from_everywhere(generator)
        notes = {
            key: float(np.clip(getattr(style, key) + 0.05 * generator.standard_normal(), 0, 1))
            for key in ("mood", "energy", "density", "syncopation", "complexity")
        }
        heard = notes | {"tempo": style.tempo, "brightness": style.brightness, "space": None, "key": "C major"}
        shares = generator.dirichlet(np.ones(len(GENRES)))
        genres = dict(zip(GENRES, shares.round(3).tolist(), strict=True))
        clips.append(
            {
                "recipe": Recipe(style=style, seed=number).to_dict(),
                "heard": {**heard, "genres": genres},
                "parts": dict(zip(PARTS, ("flute", "harp", "cello", "room kit"), strict=True)),
                "key": "C major",
                "notes": notes,
                "sound": generator.standard_normal(5).round(3).tolist(),
            }
        )
    return clips


@pytest.fixture(scope="module")
def clips() -> list[dict]:
    return made_up(120)


@pytest.fixture(scope="module")
def truth(clips) -> Truth:
    return Truth.of(clips)


def test_auc_counts_pairs():
    assert auc([True, False], [2.0, 1.0]) == 1.0
    assert auc([True, False], [1.0, 2.0]) == 0.0
    assert auc([True, False, False, True], [1.0, 1.0, 1.0, 1.0]) == 0.5
    assert auc([True, False, True, False], [0.9, 0.8, 0.7, 0.1]) == 0.75
    assert np.isnan(auc([True, True], [1.0, 2.0]))


def test_truth_is_what_was_played_not_what_was_asked(clips, truth):
    assert truth.sliders.shape == (120, len(SLIDERS))
    mood = list(SLIDERS).index("mood")
    assert truth.sliders[5, mood] == pytest.approx((clips[5]["notes"]["mood"] - 0.5) / 0.27)
    np.testing.assert_allclose(truth.genres.sum(axis=1).max(), 1.0, atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_likes_the_same_share_and_nobody_the_same_clips(kind, truth):
    one, other = (simulated_person(kind, truth, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.likes(truth).mean() == pytest.approx(LIKED_SHARE, abs=0.02)
    assert (kind == "contrarian") == (one.likes(truth) == other.likes(truth)).all()
    again = simulated_person(kind, truth, np.random.default_rng(1))
    assert (again.likes(truth) == one.likes(truth)).all()


def test_the_noisy_are_wrong_as_often_as_they_should_be(truth):
    generator = np.random.default_rng(0)
    noisy, plain = (simulated_person(kind, truth, np.random.default_rng(4)) for kind in ("noisy", "linear"))
    wrong = np.mean([noisy.labels(truth, generator) != noisy.likes(truth) for _ in range(20)])
    assert wrong == pytest.approx(FLIPPED, abs=0.03)
    assert (plain.labels(truth, generator) == plain.likes(truth)).all()


def test_the_learner_beats_the_baselines_on_clips_that_it_never_saw(clips):
    report = measure_learning(clips, people=2, seed=1)
    assert tuple(report) == LEARNERS
    assert list(report["taste"]) == ["5", "10", "30"]  # a hundred are not left to learn from
    late = {name: report[name]["30"]["mean"] for name in LEARNERS}
    assert late["taste"] > 0.7
    assert late["taste"] > max(late["most popular"], late["nearest neighbour"], late["random"]) + 0.1
    assert 0.35 < late["random"] < 0.65
    assert set(report["taste"]["10"]["kinds"]) == set(KINDS)
    assert report["taste"]["10"]["low"] <= report["taste"]["10"]["mean"] <= report["taste"]["10"]["high"]


def test_a_learner_that_knows_nothing_measures_a_half(clips, monkeypatch):
    monkeypatch.setattr(taste_simulation, "learn_and_judge", lambda seen, said, unheard: np.zeros(len(unheard)))
    assert measure_learning(clips, people=1)["taste"]["10"]["mean"] == 0.5


def test_the_simulated_studio_misses_as_its_clips_missed(clips):
    studio, generator = SimulatedStudio(clips), np.random.default_rng(0)
    recipe = Recipe(style=from_everywhere(generator))
    made = [studio.make(recipe, generator) for _ in range(40)]
    misses = np.array([clip["notes"]["energy"] - recipe.style.energy for clip in made])
    assert 0 < np.abs(misses).mean() < 0.2
    assert all(clip["recipe"] == recipe.to_dict() and clip["heard"]["space"] is None for clip in made)
    assert np.isfinite(Truth.of(made).features).all()


def test_the_radio_is_measured_beside_random_clips(clips, monkeypatch):
    monkeypatch.setattr("musicgen_ui.library.taste_simulated_radio.KINDS", ("linear",))
    told = []
    report = measure_radio(clips, people=1, proposals=30, seed=2, hook=lambda: told.append(1))
    assert len(told) == report["people"] == 1
    assert report["something new, share"] >= 0.13
    assert list(report["liked, radio"]) == ["1-10", "11-20", "21-30"]
    assert report["liked, radio"]["21-30"] > report["liked, random clips"]
    assert report["regret"]["30"]["radio"] < report["regret"]["30"]["random"] == 15.0


def test_the_command_prints_and_writes(clips, tmp_path, capsys):
    rows, report = tmp_path / "clips.jsonl", tmp_path / "taste.json"
    rows.write_text("".join(json.dumps(clip) + "\n" for clip in clips), encoding="utf-8")
    asked = ["--rows", str(rows), "--clips", "60", "--people", "1", "--listeners", "0", "--report", str(report)]
    assert main(["evaluate", "taste", *asked]) == 0
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["clips"] == 60
    assert "nearest neighbour" in capsys.readouterr().out


def test_rows_that_are_none_are_refused(tmp_path, capsys):
    rows = tmp_path / "clips.jsonl"
    rows.write_text("{nonsense\n", encoding="utf-8")
    assert main(["evaluate", "taste", "--rows", str(rows), "--report", str(tmp_path / "r.json")]) == 2
    assert "--rows" in capsys.readouterr().err


def test_the_tables_show_the_radio(capsys):
    from musicgen_ui.cli.evaluate_taste import print_taste

    by = {"5": {"mean": 0.6, "low": 0.5, "high": 0.7, "kinds": {"linear": 0.6}}}
    radio = {
        "liked, radio": {"1-10": 0.5}, "liked, random clips": 0.4, "regret": {"10": {"radio": 3.0, "random": 5.0}},
        "of them": {"all": 0.5}, "something new, share": 0.16, "genres in the last 25": 7.0, "kinds": {"linear": 0.5},
    }  # fmt: skip
    print_taste({"learning": {"taste": by}, "radio": radio})
    shown = capsys.readouterr().out
    assert "liked, radio" in shown
    assert "16%" in shown
