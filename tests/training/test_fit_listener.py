from __future__ import annotations

import numpy as np
import pytest
import torch

from musicgen_ui.audio.tonality import LOWEST_PITCH, PITCHES
from musicgen_ui.music.score import Note, Score
from musicgen_ui.training.fit_listener import binary_loss, fit_listener, observe, sounding, step_loss
from musicgen_ui.training.fit_network import fit_choice, fit_measures, fit_regression, fit_ridge
from musicgen_ui.training.listener_data import Example, not_music
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound


def test_ridge_agrees_with_the_normal_equations():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 4)) * (1, 10, 0.1, 1) + (0, 5, 1, 0)
    y = x @ np.array([[1.0], [-0.2], [3.0], [0.0]]) + 2.0
    network, loss = fit_ridge(x, y, strength=1e-6)
    np.testing.assert_allclose(network(x), y, atol=1e-4)
    assert loss < 1e-8


def test_a_choice_is_learned_and_so_is_refusing_it():
    rng = np.random.default_rng(1)
    groups = []
    for number in range(300):
        features = rng.standard_normal((int(rng.integers(2, 6)), 3))
        answer = int(features[:, 0].argmax())
        # A group whose second column is low throughout has no right choice.
        features[:, 1] = -3.0 if number % 4 == 0 else 3.0
        groups.append((features, None if number % 4 == 0 else answer))
    network, _ = fit_choice(groups, units=8, epochs=60, seed=0)
    hits = []
    for features, answer in groups:
        scores = np.append(network(features)[:, 0], 0.0)
        hits.append(scores.argmax() == (len(features) if answer is None else answer))
    assert np.mean(hits) > 0.9


def test_a_hidden_layer_learns_what_a_line_cannot():
    x = np.random.default_rng(2).uniform(-1, 1, (2000, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(float)
    network, _ = fit_regression(x, y, binary_loss, units=16, epochs=150, seed=0)
    assert ((network(x) > 0) == (y > 0)).mean() > 0.9


def test_fitting_repeats_with_its_seed():
    x = np.random.default_rng(3).standard_normal((100, 3))
    first, second = (fit_regression(x, x[:, :1] > 0, binary_loss, units=4, epochs=2, seed=5)[0] for _ in range(2))
    np.testing.assert_array_equal(first.hidden, second.hidden)


def test_step_loss_judges_strength_only_where_something_starts():
    out = torch.tensor([[4.0, 0.0, 0.0], [-4.0, 9.0, -9.0]])
    target = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    changed = out.clone()
    changed[1, 1:] = 0.0
    assert step_loss(out, target) == pytest.approx(float(step_loss(changed, target)))
    assert step_loss(out, torch.tensor([[2.0, 1.0], [0.0, 0.0]])) > step_loss(out, target)


def test_the_truth_of_a_roll_covers_each_note():
    score = Score(120.0, "4/4", 1, {"chords": (Note(1.0, 60, 2.0, 80), Note(0.0, 20, 4.0, 80))})
    roll = sounding(score, 22)
    assert roll.shape == (PITCHES, 22)
    assert roll.sum() == roll[60 - LOWEST_PITCH].sum() == pytest.approx(11, abs=1)  # a second of 10.8 frames
    assert roll[60 - LOWEST_PITCH].argmax() == pytest.approx(5, abs=1)


def test_all_networks_come_out_of_a_handful_of_examples():
    rng = np.random.default_rng(4)
    seen = []
    for number, key in enumerate(("C major", "A minor", "G major", "D minor")):
        score = synthetic_score(rng, tempo=80.0 + 20 * number, key=key, bars=4)
        seen.append(observe(Example("own", score, synthetic_sound(score, rng), 22_050, space=0.25 * number)))
    seen.append(observe(not_music(rng)))
    lines = []
    networks = fit_listener(seen, seed=0, log=lines.append)
    names = ["pitch", "tempo", "clarity", "beat", "key", "step", "rhythm", "mood", "complexity", "space"]
    assert list(networks) == names
    assert [line.split()[0] for line in lines] == names
    for network in networks.values():
        assert np.isfinite(network(network.mean)).all()


def test_networks_that_are_kept_stay_as_they_are():
    rng = np.random.default_rng(5)
    score = synthetic_score(rng, tempo=100.0, key="C major", bars=4)
    seen = [observe(Example("own", score, synthetic_sound(score, rng), 22_050)) for _ in range(2)]
    first = fit_listener(seen, seed=0)
    lines = []
    second = fit_listener(seen, seed=1, kept={name: first[name] for name in ("pitch", "beat")}, log=lines.append)
    assert second["pitch"] is first["pitch"]
    assert second["beat"] is first["beat"]
    assert {line.split()[0] for line in lines}.isdisjoint({"pitch", "beat"})


def test_measures_come_out_in_their_own_unit_and_unknown_ones_are_left_out():
    x = np.random.default_rng(6).standard_normal((400, 3))
    y = np.column_stack([100.0 + 5.0 * x[:, 0], 0.01 * x[:, 1]])
    y[::3, 1] = np.nan
    network, loss = fit_measures(x, y, units=4, epochs=200, seed=0, dropout=0.0)
    known = np.isfinite(y[:, 1])
    assert np.corrcoef(network(x)[:, 0], y[:, 0])[0, 1] > 0.97
    assert np.corrcoef(network(x)[known, 1], y[known, 1])[0, 1] > 0.97
    assert network(x)[:, 0].mean() == pytest.approx(100.0, abs=1.0)
    assert np.isfinite(loss)
