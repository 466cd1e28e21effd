"""What each part has in the finished mix: the parts add up to the clip, whatever the desk does to it."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.shares import Shared
from musicgen_ui.engine.mix import NOISE, mix, mix_parts
from musicgen_ui.music.score import PARTS
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import PartSetting, Style

RATE = 44_100
COLOURS = UnitScale(tuple(np.linspace(np.log(400), np.log(6000), 101)))


def plucked(frequency: float, every: float, decay: float, seconds: float) -> np.ndarray:
    since = np.arange(round(seconds * RATE)) / RATE % every
    wave = sum(np.sin(2 * np.pi * frequency * k * since) / k for k in range(1, 6))
    return (0.2 * wave * np.exp(-since / decay)).astype(np.float32)


def stems(seconds: float = 2.0) -> dict[str, np.ndarray]:
    hits = np.random.default_rng(0).standard_normal(round(seconds * RATE)) * 0.3
    return {
        "lead": plucked(660, 0.5, 0.3, seconds),
        "chords": plucked(220, 1.0, 0.8, seconds),
        "bass": plucked(55, 0.5, 0.4, seconds),
        "drums": (hits * np.exp(-(np.arange(len(hits)) % (RATE // 2)) / 2000)).astype(np.float32),
    }


def only(*names: str) -> dict[str, PartSetting]:
    return {part: PartSetting(part in names) for part in PARTS}


CASES = [
    ({}, {}),
    ({"drive": 1.0, "noise": 0.6, "vibrato": 0.5, "space": 1.0}, {"energy": 0.9}),
    ({"speed": 0.8, "drive": 0.4}, {"energy": 0.2, "colours": COLOURS}),
    ({"speed": 1.31, "noise": 0.3, "drive": 0.4}, {"ending": "loop", "energy": 0.7, "colours": COLOURS}),
    ({"brightness": 0.9}, {"ending": "loop"}),
    ({"parts": only("lead", "drums")}, {"ending": "close"}),
]


@pytest.mark.parametrize(("style", "options"), CASES)
def test_the_parts_add_up_to_the_clip(style, options):
    style = Style(**style)
    clip = mix(stems(), style, seed=3, **options).samples
    parts = mix_parts(stems(), style, seed=3, **options)
    assert list(parts) == [*style.active_parts, *([NOISE] if style.noise else [])]
    assert {(part.shape, part.dtype) for part in parts.values()} == {(clip.shape, clip.dtype)}
    assert np.abs(sum(parts.values()) - clip).max() < 1e-4


def test_clicks_that_are_saturated_are_shared_out():
    dry = {part: np.zeros(2 * RATE, np.float32) for part in ("lead", "drums")}
    dry["lead"][:: RATE // 2], dry["drums"][RATE // 4 :: RATE // 2] = 0.5, 0.5
    parts = mix_parts(dry, Style(space=0.0), seed=1, energy=0.9)
    assert np.abs(sum(parts.values()) - mix(dry, Style(space=0.0), seed=1, energy=0.9).samples).max() < 1e-4
    around = slice(RATE // 2 - 200, RATE // 2 + 200)
    assert np.abs(parts["drums"][:, around]).max() < 0.02 * np.abs(parts["lead"][:, around]).max()


def test_without_drive_a_part_is_its_own_stem_under_a_gain_of_all():
    style = Style(space=0.0)
    whole = mix_parts(stems(), style, seed=1)
    silent = mix_parts(stems() | {"drums": stems()["drums"] * 0}, style, seed=1)
    assert not silent["drums"].any()
    # Where the compressor is the same, so is every other part.
    quiet = slice(RATE // 2 - 8000, RATE // 2 - 4000)
    for part in ("lead", "chords", "bass"):
        a, b = whole[part][:, quiet].ravel(), silent[part][:, quiet].ravel()
        assert np.corrcoef(a, b)[0, 1] > 0.999


@pytest.mark.parametrize("drive", [0.0, 0.8])
def test_each_part_sounds_like_itself(drive):
    parts = mix_parts(stems(), Style(space=0.0, drive=drive), seed=1)

    def share(part: str, low: float, high: float) -> float:
        power = np.abs(np.fft.rfft(parts[part].mean(axis=0))) ** 2
        hertz = np.fft.rfftfreq(parts[part].shape[1], 1 / RATE)
        return float(power[(hertz >= low) & (hertz < high)].sum() / power.sum())

    assert share("bass", 40, 300) > 0.8
    assert share("lead", 600, 8000) > 0.8
    assert share("drums", 2000, 22_050) > 0.6


def test_the_noise_of_the_tape_has_a_share_of_its_own():
    style = Style(noise=0.5)
    silent = {part: stem * 0 for part, stem in stems().items()}
    parts = mix_parts(silent, style, seed=1)
    assert not any(parts[part].any() for part in PARTS)
    np.testing.assert_allclose(parts[NOISE], mix(silent, style, seed=1).samples, atol=1e-6)


def test_asking_for_the_parts_changes_nothing():
    dry = stems()
    mix_parts(dry, Style(drive=1.0, noise=1.0, vibrato=1.0), seed=1)
    assert all(np.array_equal(dry[part], stem) for part, stem in stems().items())


def test_an_effect_that_does_nothing_leaves_every_byte():
    sound = Shared(np.ones((2, 4), np.float32), {"a": np.full((2, 4), 0.25, np.float32)})
    same = sound.distorted(np.copy)
    assert np.array_equal(same.total, sound.total)
    assert np.array_equal(same.parts["a"], sound.parts["a"])
