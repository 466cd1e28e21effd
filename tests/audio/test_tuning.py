"""Every instrument that the studio offers is in tune, in every octave: an error here is silent everywhere else.

The estimator scores a supposed pitch by the autocorrelation at the first multiples of its period, up to sixteen. A
true pitch scores near 1; a wrong semitone puts the later multiples out of phase; a sound an octave lower misses every
other multiple; one an octave higher (every multiple is right) is told by the octave above scoring as well.
"""

import ctypes
import ctypes.util

import numpy as np
import pytest

from musicgen_ui.audio import timgm6mb
from musicgen_ui.audio.soundfont import PlayedNote, SoundFont, embedded_path
from musicgen_ui.music.instruments import CHOICES, GM_NAMES, program_number

RATE = 44_100
TOLERANCE_CENTS = 35.0
OCTAVES = range(24, 97, 12)
"""C1 to C7."""

SIXTEEN_FOOT = {16, 17, 18, 19}
"""Organs: their stops include one that sounds an octave below the key, as on the real instrument."""

PROGRAMS = sorted({program_number(part, name) for part in ("lead", "chords", "bass") for name in CHOICES[part]})


def sensible(program: int, pitch: int) -> bool:
    """Within the instrument's range; a 16-foot stop's C1 is below hearing."""
    low, high = timgm6mb.RANGES.get(program, (21, 108))
    return max(low, 36 if program in SIXTEEN_FOOT else 0) <= pitch <= high


CASES = [
    pytest.param(program, pitch, id=f"{GM_NAMES[program].replace(' ', '-')}-{pitch}")
    for program in PROGRAMS
    for pitch in OCTAVES
    if sensible(program, pitch)
]


def frequency(pitch: float) -> float:
    return 440.0 * 2 ** ((pitch - 69) / 12)


def period_scores(samples: np.ndarray, pitch: float) -> tuple[dict[int, float], float]:
    """Score of each semitone from an octave below to an octave above ``pitch``, and the cents at ``pitch``.

    Each score is the best within half a semitone; cents is where the best at ``pitch`` itself lies.
    """
    f0, fine, n = frequency(pitch), 4, len(samples)
    size = 1 << int(np.ceil(np.log2(2 * n)))
    window = np.hanning(n)
    power = np.abs(np.fft.rfft(samples * window, size)) ** 2
    hertz = np.arange(len(power)) * RATE / size
    # The first eight partials are enough, and noise above them only blurs.
    power[(hertz < 0.4 * f0) | (hertz > min(8.5 * f0, 9000))] = 0
    shape = np.abs(np.fft.rfft(window, size)) ** 2
    signal, taper = (np.fft.irfft(np.pad(p, (0, (fine - 1) * size // 2)), size * fine) for p in (power, shape))
    # As many multiples as keep the longest lag (an octave below, with margin) inside two thirds of the samples.
    multiples = np.arange(1, int(np.clip(0.17 * f0, 2, 16)) + 1)
    reach = int(RATE * fine * multiples[-1] / f0 * 2**1.1)
    correlation = signal[:reach] / signal[0] * taper[0] / taper[:reach]
    scores, cents = {}, 0.0
    for semitone in range(-12, 13):
        shifts = np.arange(-50, 51, 2.0)
        lags = RATE * fine / (f0 * 2 ** ((semitone + shifts / 100) / 12))
        score = np.interp(multiples[:, None] * lags, np.arange(reach), correlation).mean(axis=0)
        scores[semitone] = float(score.max())
        if semitone == 0:
            cents = float(shifts[score.argmax()])
    return scores, cents


def is_in_tune(samples: np.ndarray, pitch: float) -> bool:
    scores, cents = period_scores(samples, pitch)
    others = max(score for semitone, score in scores.items() if semitone not in (0, -12))
    # Of the instruments offered, the closest have margins of 0.04 and of 0.05.
    return abs(cents) <= TOLERANCE_CENTS and scores[0] > others + 0.03 and scores[-12] - scores[0] < 0.08


def tone(pitch: float, partials: tuple[float, ...] = (1, 0.5, 0.3, 0.2, 0.1)) -> np.ndarray:
    time = np.arange(round(0.52 * RATE)) / RATE
    return sum(a * np.sin(2 * np.pi * frequency(pitch) * (k + 1) * time + k) for k, a in enumerate(partials))


@pytest.fixture(scope="module")
def soundfont() -> SoundFont:
    return SoundFont.load(embedded_path())


def sustained(soundfont: SoundFont, program: int, pitch: int) -> np.ndarray:
    """The note from 80 to 600 ms after its onset."""
    played = soundfont.render([PlayedNote(0, RATE, pitch, 100)], program, round(0.6 * RATE))
    return played[round(0.08 * RATE) :]


class TestEstimator:
    """The judge first: it must pass what is right and fail what is wrong, in every octave."""

    @pytest.mark.parametrize("pitch", [24, 48, 72, 96])
    @pytest.mark.parametrize("partials", [(1,), (1, 0.5, 0.3, 0.2, 0.1), (0.1, 1, 0.5, 0.8, 0.2)])
    def test_right_and_wrong(self, pitch, partials):
        assert is_in_tune(tone(pitch, partials), pitch)
        assert is_in_tune(tone(pitch + 0.25, partials), pitch)
        for wrong in (-12, -7, -2, -1, -0.45, 0.45, 1, 5, 12):
            assert not is_in_tune(tone(pitch + wrong, partials), pitch), wrong

    @pytest.mark.parametrize("cents", [-30, -12, 0, 4, 26])
    def test_cents(self, cents):
        assert period_scores(tone(60 + cents / 100), 60)[1] == pytest.approx(cents, abs=3)

    def test_noise_has_no_pitch(self, rng):
        assert not is_in_tune(rng.standard_normal(22_000), 60)


@pytest.mark.parametrize(("program", "pitch"), CASES)
def test_every_instrument_in_every_octave(soundfont, program, pitch):
    samples = sustained(soundfont, program, pitch)
    assert np.abs(samples).max() > 1e-3, "silent"
    assert is_in_tune(samples, pitch) or (program in SIXTEEN_FOOT and is_in_tune(samples, pitch - 12))


def test_most_octaves_are_covered():
    assert len(PROGRAMS) >= 50
    assert len(CASES) >= 0.93 * len(PROGRAMS) * len(OCTAVES)


@pytest.mark.parametrize(
    ("program", "pitch"),
    [
        (22, 65),
        (22, 70),
        (22, 71),
        (22, 72),
        (22, 73),
        (65, 63),
        (65, 64),
        (65, 65),
        (81, 90),
        (81, 91),
        (81, 99),
        (21, 72),
    ],
)
def test_corrected_zones(soundfont, program, pitch):
    samples = sustained(soundfont, program, pitch)
    assert is_in_tune(samples, pitch)
    assert abs(period_scores(samples, pitch)[1]) <= 12


class FluidSynth:
    """The reference player, through its C interface."""

    def __init__(self, path: str) -> None:
        found = ctypes.util.find_library("fluidsynth")
        if found is None:
            pytest.skip("libfluidsynth is not installed")
        self.lib = ctypes.CDLL(found)
        self.lib.new_fluid_settings.restype = self.lib.new_fluid_synth.restype = ctypes.c_void_p
        settings = ctypes.c_void_p(self.lib.new_fluid_settings())
        self.lib.fluid_settings_setnum(settings, b"synth.sample-rate", ctypes.c_double(RATE))
        for name in (b"synth.reverb.active", b"synth.chorus.active"):
            self.lib.fluid_settings_setint(settings, name, 0)
        self.synth = ctypes.c_void_p(self.lib.new_fluid_synth(settings))
        self.font = self.lib.fluid_synth_sfload(self.synth, path.encode(), 1)

    def play(self, program: int, pitch: int, velocity: int = 100, seconds: float = 0.6) -> np.ndarray:
        # A note that was cut off still fades: let it, unheard.
        self.lib.fluid_synth_all_sounds_off(self.synth, -1)
        self._write(4096)
        self.lib.fluid_synth_program_select(self.synth, 0, self.font, 0, program)
        self.lib.fluid_synth_noteon(self.synth, 0, pitch, velocity)
        return self._write(round(seconds * RATE))

    def _write(self, n: int) -> np.ndarray:
        left, right = np.zeros(n, np.float32), np.zeros(n, np.float32)
        at = [side.ctypes.data_as(ctypes.c_void_p) for side in (left, right)]
        self.lib.fluid_synth_write_float(self.synth, n, at[0], 0, 1, at[1], 0, 1)
        return (left + right) / 2


@pytest.fixture(scope="module")
def fluidsynth() -> FluidSynth:
    return FluidSynth(str(embedded_path()))


@pytest.mark.parametrize("program", [0, 4, 24, 33, 40, 48, 56, 73, 80])
@pytest.mark.parametrize("pitch", [48, 60, 72])
def test_fluidsynth_agrees(soundfont, fluidsynth, program, pitch):
    theirs = fluidsynth.play(program, pitch)[round(0.08 * RATE) :]
    ours = sustained(soundfont, program, pitch)
    assert is_in_tune(theirs, pitch)
    assert period_scores(ours, pitch)[1] == pytest.approx(period_scores(theirs, pitch)[1], abs=8)


@pytest.mark.parametrize("program", [0, 24, 33, 73])
def test_fluidsynth_has_the_same_velocity_curve(soundfont, fluidsynth, program):
    """On both, 40 dB a decade."""
    for soft in (30, 64):
        ours = [np.abs(soundfont.render([PlayedNote(0, RATE, 60, v)], program, 20_000)).max() for v in (soft, 100)]
        theirs = [np.abs(fluidsynth.play(program, 60, v, 0.45)).max() for v in (soft, 100)]
        assert 20 * np.log10(ours[0] / ours[1]) == pytest.approx(20 * np.log10(theirs[0] / theirs[1]), abs=1.5)
