"""Designs, the rows' file, and numbers that are known: a slider that is obeyed, one that leaks, one that is deaf."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import SLIDERS
from musicgen_ui.training.control_design import ControlRows, control_clips, level_values
from musicgen_ui.training.control_figure import draw_control
from musicgen_ui.training.evaluate_control import cross_talk, curves, row_of, spearman, summarise

TOLERANCE = dict.fromkeys(SLIDERS, 0.08) | {"tempo": 0.04}
RECIPE = Recipe(bars=8, rounds=2, takes=1, ending="open")


def heard_of(style, rng, noise=0.03):
    """Everything is obeyed with some noise, but density leaks into energy, and nobody hears space."""
    values = {key: getattr(style, key) + rng.normal(0, noise) for key in SLIDERS}
    values["energy"] += 0.3 * (style.density - 0.5)
    return values | {"tempo": style.tempo, "key": "A minor", "space": None}


def rows_of(design, sliders=tuple(SLIDERS), seeds=6, levels=9):
    rng = np.random.default_rng(0)
    rows = []
    for clip in control_clips(design, RECIPE, sliders, levels, seeds):
        style = clip.recipe.style
        asked = {key: getattr(style, key) for key in SLIDERS} | {"key": "A minor"}
        first, kept = heard_of(style, rng, noise=0.15), heard_of(style, rng)
        rounds = [{"heard": first, "kind": "first", "seconds": 1.0}, {"heard": kept, "kind": "mix", "seconds": 0.2}]
        result = SimpleNamespace(asked=asked, heard=kept, rounds=rounds)
        rows.append(row_of(clip, result, {"density": style.density}, 1.2))
    return rows


def test_a_sweep_moves_one_slider_and_holds_the_others():
    clips = control_clips("sweep", RECIPE, ("density", "space"), 9, 3)
    assert len(clips) == len({clip.id for clip in clips}) == 2 * 9 * 3
    for moved in ("density", "space"):
        for seed in range(3):
            styles = [c.recipe.style for c in clips if (c.moved, c.seed) == (moved, seed)]
            assert [getattr(s, moved) for s in styles] == pytest.approx(level_values(moved, 9))
            assert len({s.with_values(**{moved: 0.5}).to_dict().__repr__() for s in styles}) == 1
    assert {c.recipe.bars for c in clips} == {8}


def test_shared_clips_move_every_slider_evenly_and_independently():
    clips = control_clips("shared", RECIPE, (), 9, 30)
    assert len(clips) == 270
    columns = {key: [getattr(c.recipe.style, key) for c in clips] for key in SLIDERS}
    for key, column in columns.items():
        values, counts = np.unique(column, return_counts=True)
        assert values == pytest.approx(level_values(key, 9))
        assert set(counts) == {30}
    worst = max(abs(spearmanr(columns[a], columns[b])[0]) for a in SLIDERS for b in SLIDERS if a < b)
    assert worst < 0.2


@pytest.mark.parametrize("design", ["sweep", "shared"])
def test_the_numbers_of_a_studio_whose_faults_are_known(design):
    rows = rows_of(design, seeds=6 if design == "sweep" else 30)
    found = summarise(rows, TOLERANCE)
    for key in ("mood", "density", "syncopation", "complexity", "brightness"):
        assert found["spearman"][key]["first"] > 0.8
        assert found["spearman"][key]["heard"] > 0.95
    assert found["spearman"]["density"]["notes"] == pytest.approx(1.0)
    assert found["spearman"]["density"]["ear"] == pytest.approx(found["spearman"]["density"]["heard"])
    assert found["spearman"]["space"]["heard"] is None
    talk = found["cross-talk"]["heard"]
    assert talk["density"]["energy"]["value"] > 0.2
    others = [
        entry for moved in talk for other, entry in talk[moved].items() if (moved, other) != ("density", "energy")
    ]
    assert np.mean([abs(entry["value"]) <= entry["noise"] for entry in others if entry["noise"] > 0]) > 0.85
    assert "space" not in talk["density"], "what is not heard cannot leak"
    assert found["inside"]["heard"]["sliders"]["mood"]["inside"] > 0.95
    assert found["inside"]["first"]["sliders"]["mood"]["inside"] < 0.7
    assert found["tempo"]["heard"] == {"exact": 1.0, "octave": 0.0, "wrong": 0.0, "unheard": 0.0}
    assert found["key"] == {"first": 1.0, "heard": 1.0}
    assert found["rounds"] == {"notes": 0.0, "mix": 1.0}
    assert found["seconds"]["times"] == pytest.approx(1.2)
    json.dumps(found, allow_nan=False)


def test_cross_talk_is_spearmans_correlation_but_with_less_noise():
    rows = rows_of("shared", seeds=30)
    entry = cross_talk(rows, "first")["density"]["energy"]
    plain = spearman([r["asked"]["density"] for r in rows], [r["first"]["energy"] for r in rows])
    assert entry["value"] == pytest.approx(plain, abs=0.1)
    assert entry["noise"] < 1.96 / np.sqrt(len(rows))


def test_curves_are_quartiles_at_each_level_in_shares_of_the_range():
    found = curves(rows_of("sweep", seeds=20))
    assert "space" not in found
    for key in ("tempo", "mood", "brightness"):
        assert found[key].shape == (9, 4)
        np.testing.assert_allclose(found[key][:, 0], np.linspace(0, 1, 9), atol=1e-6)
        np.testing.assert_allclose(found[key][:, 1], found[key][:, 0], atol=0.15)
        assert np.all(found[key][:, 2] <= found[key][:, 1])
        assert np.all(found[key][:, 1] <= found[key][:, 3])


def test_a_run_that_was_killed_goes_on(tmp_path):
    path, settings = tmp_path / "reports" / "rows.jsonl", {"bars": 8}
    rows = ControlRows(path, settings)
    rows.add({"id": "a", "value": 1})
    rows.add({"id": "b", "value": 2})
    path.write_text(path.read_text() + '{"id": "c", "val')
    again = ControlRows(path, settings)
    assert list(again.rows) == ["a", "b"]
    again.add({"id": "c", "value": 3})
    assert list(ControlRows(path, settings).rows) == ["a", "b", "c"]
    with pytest.raises(RequestError, match=r"--rows: .* holds clips of other settings"):
        ControlRows(path, {"bars": 16})
    path.write_text("nonsense\n")
    with pytest.raises(RequestError, match=r"--rows: .* cannot be used"):
        ControlRows(path, settings)


def test_the_figure_has_a_panel_a_slider(tmp_path):
    draw_control(tmp_path / "figures" / "control.png", rows_of("sweep", ("density", "tempo"), seeds=3), TOLERANCE)
    assert (tmp_path / "figures" / "control.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RequestError, match="no clip moves a slider"):
        draw_control(tmp_path / "none.png", [], TOLERANCE)
    with pytest.raises(RequestError, match="cannot be written"):
        draw_control(tmp_path, rows_of("sweep", ("density",), seeds=3), TOLERANCE)
