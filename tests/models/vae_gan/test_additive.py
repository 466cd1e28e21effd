"""The compiled additive synthesis against the same in torch: samples and gradients."""

import numpy as np
import pytest
import torch

from musicgen_ui.audio.oscillators import noise_bands
from musicgen_ui.audio.partials import KNOTS
from musicgen_ui.models.vae_gan.additive import render, render_torch
from musicgen_ui.models.vae_gan.note_network import Envelopes
from musicgen_ui.models.vae_gan.voices import assemble

PARTIALS = 10
BANDS = torch.from_numpy(noise_bands(np.array([100.0, 1000.0, 8000.0])))
T = torch.tensor(KNOTS, dtype=torch.float32)
HOLDS = (13_000, 150_000, 1)
"""Samples: a short note, one that is held beyond the last knot, and a click."""


def notes(cents: float = 40.0) -> Envelopes:
    source = torch.Generator().manual_seed(8)

    def draw(*shape):
        return torch.randn(shape, generator=source)

    count, size = len(HOLDS), len(T)
    fall = -T[None, :, None] * torch.rand((count, 1, PARTIALS), generator=source)
    return Envelopes(
        log_amplitude=(-3.0 + 0.2 * draw(count, size, PARTIALS) + fall),
        phasor=torch.nn.functional.normalize(torch.tensor([1.0, 0.0]) + 0.3 * draw(count, size, PARTIALS, 2), dim=-1),
        bend=(cents * torch.sin(2 * np.pi * 5.5 * T)).expand(count, -1),
        log_noise=-5.0 + 0.3 * draw(count, size, len(BANDS)),
        log_release=torch.log(torch.tensor([0.1, 0.3, 0.05])),
    )


def voices_of(envelopes: Envelopes):
    count = len(HOLDS)
    ratio = torch.arange(1.0, PARTIALS + 1) * (1 + 1e-3 * torch.arange(PARTIALS))
    return assemble(
        envelopes,
        T,
        start=torch.tensor([0, 3000, 5000]),
        hold=torch.tensor(HOLDS),
        frequency=torch.tensor([220.0, 98.0, 3520.0]),
        ratio=ratio.expand(count, -1),
        phase=torch.linspace(0, 6, PARTIALS).expand(count, -1),
    )


@pytest.mark.parametrize("cents", [0.0, 40.0])
@pytest.mark.parametrize("first", [-500, 12_000, 145_000], ids=["attack", "release", "past the last knot"])
def test_both_paths_are_equal(first, cents):
    voices = voices_of(notes(cents))
    made, expected = (path(voices, BANDS, first, 16_000) for path in (render, render_torch))
    assert made.shape == expected.shape == (16_000,)
    assert expected.abs().max() > 0.02
    assert (made - expected).abs().max() < 1e-4


def test_the_torch_path_does_not_depend_on_its_pieces(monkeypatch):
    voices = voices_of(notes())
    whole = render_torch(voices, BANDS, 0, 5000)
    monkeypatch.setattr("musicgen_ui.models.vae_gan.additive._AT_ONCE", 1)
    assert (render_torch(voices, BANDS, 0, 5000) - whole).abs().max() < 1e-6


def test_no_notes_no_sound():
    voices = voices_of(notes())
    none = type(voices)(**{name: value[:0] for name, value in vars(voices).items()})
    assert not render(none, BANDS, 0, 500).any()


LEARNED = ("log_amplitude", "phasor", "log_noise")


def gradients(path, weight, first):
    envelopes = notes()
    for name in LEARNED:
        getattr(envelopes, name).requires_grad_()
    loss = (path(voices_of(envelopes), BANDS, first, len(weight)) * weight).sum()
    loss.backward()
    return {name: getattr(envelopes, name).grad for name in LEARNED}


@pytest.mark.parametrize("first", [0, 145_000])
def test_both_paths_have_the_same_gradients(first):
    weight = torch.randn(16_000, generator=torch.Generator().manual_seed(2))
    made, expected = (gradients(path, weight, first) for path in (render, render_torch))
    for name in LEARNED:
        size = float(expected[name].norm())
        assert size > 1e-3, name
        assert float((made[name] - expected[name]).norm()) < 1e-3 * size, name


@pytest.mark.parametrize("name", LEARNED)
def test_the_gradient_is_the_slope(name):
    source = torch.Generator().manual_seed(4)
    weight = torch.randn(16_000, generator=source)
    envelopes = notes()
    grad = gradients(render, weight, 0)[name]
    direction = torch.randn(grad.shape, generator=source) + grad / grad.norm() * grad.numel() ** 0.5
    # Of the note that is still held: how a release is shaped is taken for given.
    direction[[0, 2]] = 0.0
    step = 1e-3

    def loss(shift):
        moved = Envelopes(**(vars(envelopes) | {name: getattr(envelopes, name) + shift * direction}))
        return float((render(voices_of(moved), BANDS, 0, len(weight)).double() * weight.double()).sum())

    slope = (loss(step) - loss(-step)) / (2 * step)
    assert float((grad * direction).sum()) == pytest.approx(slope, rel=0.02)
