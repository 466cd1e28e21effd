"""The oscillator bank against a plain float64 sum; pieces against the whole; the adjoint against the render."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from musicgen_ui.audio.oscillators import NOISE_LENGTH, Voices, adjoint, noise_bands, render
from musicgen_ui.audio.partials import GRID, KNOTS
from musicgen_ui.audio.waveform import SAMPLE_RATE

EDGES = np.array([200.0, 800.0, 3000.0, 12_000.0])
LENGTH = SAMPLE_RATE


@pytest.fixture(scope="module")
def bands() -> np.ndarray:
    return noise_bands(EDGES)


def make(cents: float, frequencies=(82.4, 440.0, 2093.0), partials: int = len(GRID)) -> Voices:
    """Notes as they are played: harmonic, decaying, starting apart, with a vibrato of so many cents."""
    rng = np.random.default_rng(7)
    count, grid = len(frequencies), GRID[:partials]
    position = np.tile(KNOTS * SAMPLE_RATE, (count, 1))
    speed = np.array(frequencies)[:, None] / SAMPLE_RATE * 2.0 ** (cents * np.sin(2 * np.pi * 5.5 * KNOTS) / 1200.0)
    turned = 0.5 * (speed[:, 1:] + speed[:, :-1]) * np.diff(position, axis=1)
    amplitude = 0.1 / np.maximum(grid, 1) * np.exp(-KNOTS[:, None] * (0.5 + grid / 20))
    phase = rng.uniform(0, 2 * np.pi, (count, 1, partials)) + 0.3 * rng.standard_normal((count, len(KNOTS), partials))
    return Voices(
        start=np.array([0, 4410, 12_345])[:count],
        position=position,
        cycles=np.concatenate([np.zeros((count, 1)), np.cumsum(turned, axis=1)], axis=1),
        speed=speed,
        ratio=np.tile(grid * np.sqrt(1 + 1e-4 * grid**2), (count, 1)).astype(np.float32),
        real=(amplitude * np.cos(phase)).astype(np.float32),
        imaginary=(amplitude * np.sin(phase)).astype(np.float32),
        noise=(0.01 * rng.random((count, len(KNOTS), len(EDGES) - 1))).astype(np.float32),
    )


def oracle(voices: Voices, bands: np.ndarray, first: int, length: int) -> np.ndarray:
    """The definition, in float64."""
    out = np.zeros(length)
    sample = np.arange(first, first + length)
    for v, start in enumerate(voices.start):
        position, cycles, speed = start + voices.position[v], voices.cycles[v], voices.speed[v]
        time = sample.astype(np.float64)
        inside = (time >= position[0]) & (time < position[-1])
        time = time[inside]
        if not len(time):
            continue
        j = np.searchsorted(position, time, side="right") - 1
        offset, span = time - position[j], position[j + 1] - position[j]
        turned = cycles[j] + offset * speed[j] + 0.5 * (speed[j + 1] - speed[j]) / span * offset**2
        total = np.zeros(len(time))
        for k, ratio in enumerate(voices.ratio[v].astype(np.float64)):
            angle = 2 * np.pi * np.mod(ratio * turned, 1.0)
            heard = ratio * np.maximum(speed[j], speed[j + 1]) < 0.5
            real, imaginary = (np.interp(time, position, x[v, :, k]) for x in (voices.real, voices.imaginary))
            total += heard * (real * np.cos(angle) - imaginary * np.sin(angle))
        for b, band in enumerate(bands):
            level = np.interp(time, position, voices.noise[v, :, b])
            total += level * band[sample[inside] % NOISE_LENGTH]
        out[inside] += total
    return out


@pytest.mark.parametrize("cents", [0.0, 40.0])
def test_the_kernel_is_the_sum_it_stands_for(bands, cents):
    voices = make(cents)
    made, expected = render(voices, bands, 0, LENGTH), oracle(voices, bands, 0, LENGTH)
    assert made.dtype == np.float32
    assert np.abs(expected).max() > 0.1
    assert np.abs(made - expected).max() < 1e-4


def test_late_in_a_song_phases_are_still_exact(bands):
    voices = make(40.0, (82.4,), partials=24)
    late = 2**22 + 321
    moved = replace(voices, start=voices.start + late)
    made = render(moved, bands, late, 20_000)
    assert np.abs(made - oracle(moved, bands, late, 20_000)).max() < 1e-4


@pytest.mark.parametrize("cents", [0.0, 40.0])
def test_pieces_equal_the_whole(bands, cents):
    voices = make(cents)
    whole = render(voices, bands, 0, LENGTH)
    cuts = [0, 1, 777, 4410, 4411, 20_000, 30_001, LENGTH]
    pieces = [render(voices, bands, a, b - a) for a, b in pairwise(cuts)]
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-5


def test_before_and_after_there_is_silence(bands):
    voices = make(0.0)
    assert not render(voices, bands, -5000, 5000).any()
    end = int(voices.start.max() + voices.position.max()) + 1
    assert not render(voices, bands, end, 1000).any()
    assert render(voices, bands, -100, 300)[:100].max() == 0


@pytest.mark.parametrize("which", ["real", "imaginary", "noise"])
@pytest.mark.parametrize("cents", [0.0, 40.0])
def test_the_adjoint_is_the_transpose(bands, which, cents):
    rng = np.random.default_rng(5)
    voices = make(cents, (440.0, 2093.0))
    shuffled = rng.permutation(len(GRID))
    voices = replace(voices, ratio=np.ascontiguousarray(voices.ratio[:, shuffled]))
    direction = (rng.standard_normal(getattr(voices, which).shape) + 0.1).astype(np.float32)
    zero = {name: np.zeros_like(getattr(voices, name)) for name in ("real", "imaginary", "noise")}
    if which == "noise":
        direction = np.abs(direction)
    moved = render(replace(voices, **(zero | {which: direction})), bands, 3000, 15_000)
    grad = rng.standard_normal(15_000).astype(np.float32)
    grads = dict(zip(zero, adjoint(voices, bands, 3000, grad), strict=True))
    forward = np.dot(grad.astype(np.float64), moved)
    backward = np.sum(grads[which].astype(np.float64) * direction)
    scale = np.linalg.norm(grad) * np.linalg.norm(moved)
    assert abs(forward - backward) < 1e-5 * scale
    assert abs(forward) > 1e-4 * scale


def test_partials_above_nyquist_are_silent(bands):
    voices = make(0.0, (4000.0,))
    high = voices.ratio[0] * 4000.0 / SAMPLE_RATE >= 0.5
    assert 40 < high.sum() < 64
    only_high = replace(
        voices,
        real=voices.real * high.astype(np.float32),
        imaginary=voices.imaginary * high.astype(np.float32),
        noise=np.zeros_like(voices.noise),
    )
    assert not render(only_high, bands, 0, 4000).any()
    grads = adjoint(voices, bands, 0, np.ones(4000, np.float32))
    assert not grads[0][..., high].any()
    assert grads[0][..., ~high].any()


def test_no_voices_no_sound(bands):
    voices = make(0.0)
    none = Voices(*(value[:0] for value in vars(voices).values()))
    assert not render(none, bands, 0, 100).any()
    assert all(len(g) == 0 for g in adjoint(none, bands, 0, np.ones(100, np.float32)))


def test_the_input_is_left_alone(bands):
    voices = make(40.0)
    before = [value.copy() for value in voices.arrays()]
    first, again = (render(voices, bands, 0, 5000) for _ in range(2))
    assert np.array_equal(first, again)
    assert all(np.array_equal(a, b) for a, b in zip(before, voices.arrays(), strict=True))


def test_a_segment_that_begins_a_hair_after_a_sample_ends(bands):
    """Rounded to the nearest float64, the end of its first block is where the next would begin."""
    hair = 2.0**-33
    voices = Voices(
        start=np.array([2**20 - 51]),
        position=np.array([[0.0, 1.0 + hair, 1000.0]]),
        cycles=np.array([[0.0, 0.01, 10.0]]),
        speed=np.full((1, 3), 0.01),
        ratio=np.ones((1, 1), np.float32),
        real=np.full((1, 3, 1), 0.1, np.float32),
        imaginary=np.zeros((1, 3, 1), np.float32),
        noise=np.zeros((1, 3, 3), np.float32),
    )
    made = []
    thread = threading.Thread(target=lambda: made.append(render(voices, bands, 2**20 - 51, 1000)), daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert made, "it never ends"
    assert np.abs(made[0]).max() == pytest.approx(0.1, rel=1e-3)


def test_noise_bands_have_unit_level_and_stay_in_their_bands(bands):
    assert bands.shape == (3, NOISE_LENGTH)
    assert np.sqrt(np.mean(bands.astype(np.float64) ** 2, axis=1)) == pytest.approx(1.0, abs=1e-4)
    frequencies = np.fft.rfftfreq(NOISE_LENGTH, 1 / SAMPLE_RATE)
    for band, low, high in zip(bands, EDGES[:-1], EDGES[1:], strict=True):
        power = np.abs(np.fft.rfft(band)) ** 2
        inside = (frequencies >= low) & (frequencies < high)
        assert power[inside].sum() > 0.9999 * power.sum()
    assert np.array_equal(bands, noise_bands(EDGES))
    assert np.abs(np.corrcoef(bands) - np.eye(3)).max() < 0.01
