"""The finished clip: level, length, ends and places, for ordinary and for awkward stems."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import signal

from musicgen_ui.audio.loudness import integrated_loudness, true_peak
from musicgen_ui.audio.waveform import wav_bytes
from musicgen_ui.engine.mix import PLACES, mix
from musicgen_ui.errors import Cancelled
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import PartSetting, Style

RATE = 44_100
SECONDS = 4


def plucked(frequency: float, every: float, decay: float, seconds: float = SECONDS) -> np.ndarray:
    """Repeated decaying notes with ten partials."""
    time = np.arange(round(seconds * RATE)) / RATE
    since = time % every
    wave = sum(np.sin(2 * np.pi * frequency * k * since) / k for k in range(1, 11) if k * frequency < 15_000)
    return (0.2 * wave * np.exp(-since / decay)).astype(np.float32)


@pytest.fixture(scope="module")
def stems() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    since = np.arange(SECONDS * RATE) % (RATE // 2)
    return {
        "lead": plucked(660, 0.5, 0.3),
        "chords": (plucked(220, 1.0, 0.8) + plucked(277.2, 1.0, 0.8) + plucked(329.6, 1.0, 0.8)) * np.float32(0.1),
        "bass": plucked(55, 0.5, 0.4),
        "drums": (rng.standard_normal(SECONDS * RATE) * np.exp(-since / 2000) * 0.3).astype(np.float32),
    }


def only(*names: str, **levels: float) -> dict[str, PartSetting]:
    return {part: PartSetting(part in names, levels.get(part, 0.0)) for part in PARTS}


def check(samples: np.ndarray, n: int) -> None:
    assert samples.shape == (2, n)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert integrated_loudness(samples, RATE) == pytest.approx(-16, abs=0.3)
    assert true_peak(samples) <= -1
    assert np.abs(samples.mean(axis=1)).max() < 1e-3
    # Neither end clicks.
    assert np.abs(samples[:, :3]).max() < 1e-3
    assert np.abs(samples[:, -200:]).max() < 0.01


EXTREMES = [
    {},
    {"space": 0.0},
    {"space": 1.0, "drive": 1.0, "noise": 1.0, "vibrato": 1.0},
    {"brightness": 0.0},
    {"brightness": 1.0},
    {"tempo": 60.0},
    {"tempo": 180.0},
]


@pytest.mark.parametrize("values", EXTREMES, ids=str)
def test_every_clip_is_clean(stems, values):
    check(mix(stems, Style(**values), seed=1).samples, SECONDS * RATE)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_alone_is_clean(stems, part):
    check(mix(stems, Style(parts=only(part)), seed=1).samples, SECONDS * RATE)
    check(mix({part: stems[part]}, Style(space=0.0), seed=1).samples, SECONDS * RATE)


@pytest.mark.parametrize("speed", [0.5, 0.83, 1.37, 2.0])
def test_tape_speed_sets_length_and_pitch(stems, speed):
    style = Style(parts=only("lead"), space=0.0)
    clip = mix(stems, style.with_values(speed=speed), seed=1)
    check(clip.samples, round(SECONDS * RATE / speed))
    frequencies, power = signal.welch(clip.samples[0], RATE, nperseg=8192)
    assert frequencies[power.argmax()] == pytest.approx(660 * speed, abs=6)


def test_sparse_and_short_stems_are_clean():
    bass = plucked(41.2, 2.4, 0.3, 9.6)
    check(mix({"bass": bass}, Style(), seed=0).samples, len(bass))
    single = np.zeros(RATE, np.float32)
    single[2000:9000] = plucked(880, 1, 0.02, 7000 / RATE)
    check(mix({"lead": single}, Style(space=0.0), seed=0).samples, RATE)


def test_softly_played_stems_are_brought_up(stems):
    quiet = {part: stem * np.float32(1e-4) for part, stem in stems.items()}
    assert np.allclose(mix(quiet, Style(), seed=1).samples, mix(stems, Style(), seed=1).samples, atol=1e-3)


def test_silence_is_silence_and_noise_alone_is_not_raised(stems):
    silent = {part: np.zeros_like(stem) for part, stem in stems.items()}
    assert not mix(silent, Style(), seed=1).samples.any()
    hiss = mix(silent, Style(noise=1.0), seed=1).samples
    assert hiss.any()
    assert integrated_loudness(hiss, RATE) < -28


def test_same_input_same_bytes(stems):
    style = Style(noise=0.5, vibrato=0.4, drive=0.3)
    first, again, other = (mix(stems, style, seed=seed).samples for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    clean = [mix(stems, Style(), seed=seed).samples for seed in (3, 4)]
    assert np.array_equal(*clean)  # without noise the seed plays no part


def test_same_bytes_in_another_process(stems, tmp_path):
    style = {"noise": 0.5, "vibrato": 0.4, "drive": 0.3, "speed": 1.1}
    np.savez(tmp_path / "stems.npz", **stems)
    program = (
        "import hashlib, sys, numpy as np\n"
        "from musicgen_ui.audio.waveform import wav_bytes\n"
        "from musicgen_ui.engine.mix import mix\n"
        "from musicgen_ui.style import Style\n"
        "stems = dict(np.load(sys.argv[1]))\n"
        f"clip = mix(stems, Style(**{style!r}), seed=3)\n"
        "print(hashlib.sha256(wav_bytes(clip.samples, clip.sample_rate)).hexdigest())\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "stems.npz")]
    theirs = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=600).stdout.strip()
    clip = mix(stems, Style(**style), seed=3)
    assert hashlib.sha256(wav_bytes(clip.samples, clip.sample_rate)).hexdigest() == theirs


def test_input_is_kept(stems):
    before = {part: stem.copy() for part, stem in stems.items()}
    mix(stems, Style(vibrato=1.0, drive=1.0, noise=1.0), seed=1)
    assert all(np.array_equal(stems[part], before[part]) for part in stems)


def gains(clip: np.ndarray, stems: dict[str, np.ndarray]) -> dict[str, float]:
    """How loud each stem is in the clip's middle, in dB, by least squares."""
    found = np.linalg.lstsq(np.stack([stems[part] for part in PARTS], axis=1), clip.mean(axis=0), rcond=None)[0]
    return dict(zip(PARTS, 20 * np.log10(np.abs(found)), strict=True))


@pytest.mark.parametrize("part", PARTS)
def test_level_moves_its_part(stems, part):
    heard = []
    for level in (-12.0, 0.0, 6.0):
        style = Style(space=0.0, parts=only(*PARTS, **{part: level}))
        found = gains(mix(stems, style, seed=1).samples, stems)
        heard.append(found[part] - np.mean([found[other] for other in PARTS if other != part]))
    assert heard[1] - heard[0] == pytest.approx(12, abs=2)
    assert heard[2] - heard[1] == pytest.approx(6, abs=2.5)  # its peaks meet the limiter


def test_a_part_that_is_off_is_not_heard(stems):
    style = Style(space=0.0, parts=only("lead", "bass"))
    assert np.array_equal(
        mix(stems, style, seed=1).samples, mix({p: stems[p] for p in ("lead", "bass")}, style, seed=1).samples
    )


def test_a_loud_patch_does_not_bury_the_others(stems):
    louder = stems | {"chords": stems["chords"] * np.float32(8)}
    assert np.allclose(mix(louder, Style(), seed=1).samples, mix(stems, Style(), seed=1).samples, atol=1e-3)


def test_places(stems):
    def sides(part: str) -> tuple[float, float]:
        clip = mix({part: stems[part]}, Style(space=0.0), seed=1).samples
        return float(np.corrcoef(clip)[0, 1]), float(clip[1].std() / clip[0].std())

    for part in ("bass", "drums"):
        assert sides(part) == pytest.approx((1, 1), abs=1e-4)
    correlation, balance = sides("lead")
    assert correlation == pytest.approx(1, abs=1e-4)
    assert 1.1 < balance < 1.5  # slightly right
    correlation, balance = sides("chords")
    assert correlation < 0.8  # wide
    assert balance == pytest.approx(1, abs=0.2)
    assert PLACES["bass"].send < 0.3


def test_brightness_and_space_are_heard(stems):
    def centroid(values: dict[str, float]) -> float:
        clip = mix(stems, Style(space=0.0, **values), seed=1).samples[0]
        frequencies, power = signal.welch(clip, RATE, nperseg=4096)
        return float((frequencies * power).sum() / power.sum())

    centroids = [centroid({"brightness": value}) for value in np.linspace(0, 1, 6)]
    assert np.all(np.diff(centroids) > 0)
    gaps = stems["drums"] * (np.arange(SECONDS * RATE) % RATE < RATE // 4)
    tails = []
    for space in (0.0, 0.3, 0.6, 1.0):
        clip = mix({"drums": gaps}, Style(space=space), seed=1).samples
        tails.append(float(np.std(clip[:, round(1.6 * RATE) : round(1.9 * RATE)])))
    assert np.all(np.diff(tails) > 0)


def test_the_last_fade_follows_the_tempo(stems):
    steady = {"lead": np.tile(plucked(441, 10, 100, 1.0), SECONDS)}
    style = Style(space=0.0, parts=only("lead"))
    slow, fast = (np.abs(mix(steady, style, seed=1, tempo=tempo).samples[1]) for tempo in (60, 180))
    window = slice(round(-0.22 * RATE), round(-0.18 * RATE))
    assert slow[window].max() < 0.8 * fast[window].max()


def test_stems_must_agree_in_length(stems):
    with pytest.raises(ValueError, match="one length"):
        mix(stems | {"lead": stems["lead"][:-1]}, Style(), seed=1)
    with pytest.raises(ValueError, match="at least one"):
        mix({}, Style(), seed=1)


def test_the_hook_rises_and_can_stop_it(stems):
    seen = []
    mix(stems, Style(), seed=1, hook=lambda stage, done, total: seen.append((stage, done / total)))
    assert {stage for stage, _ in seen} == {"mix"}
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert len(shares) >= 8
    assert shares[-1] < 1

    def stop(stage, done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        mix(stems, Style(), seed=1, hook=stop)


def test_the_notes_energy_is_heard_as_punch(stems):
    from musicgen_ui.audio.punch import punch

    values = [punch(mix(stems, Style(), seed=0, energy=energy).samples, RATE) for energy in (0.1, 0.5, 0.9)]
    assert values[0] < values[1] < values[2]
    plain = mix(stems, Style(), seed=0).samples
    assert plain.shape == mix(stems, Style(), seed=0, energy=0.5).samples.shape


def test_with_colours_different_bands_become_equally_bright(stems):
    from musicgen_ui.audio.timbre import brightness
    from musicgen_ui.audio.waveform import resample
    from musicgen_ui.scale import UnitScale

    colours = UnitScale(tuple(np.linspace(np.log(400), np.log(6000), 101)))

    def heard(parts, asked, **options):
        clip = mix({part: stems[part] for part in parts}, Style(brightness=asked), seed=0, **options)
        return brightness(resample(clip.samples.mean(axis=0), RATE, 22_050), 22_050)

    bands = (("lead", "bass"), ("lead", "drums"), PARTS)
    plain = [heard(band, 0.5) for band in bands]
    brought = [heard(band, 0.5, colours=colours) for band in bands]
    assert np.ptp(brought) < 0.5 * np.ptp(plain)
    assert heard(PARTS, 0.2, colours=colours) < heard(PARTS, 0.5, colours=colours) < heard(PARTS, 0.8, colours=colours)
