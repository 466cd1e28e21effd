"""Loops: tails come round, lengths are exact, and a clip that closes ends in silence."""

import numpy as np
import pytest

from musicgen_ui.audio.loudness import integrated_loudness, true_peak
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.loop import clip_seam, play_loop, unrolled
from musicgen_ui.engine.mix import mix
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.style import Style

RING = 30_000


def score_of(bars=2, tempo=117.0, metre="4/4"):
    beats = bars * (4 if metre == "4/4" else 3)
    rng = np.random.default_rng(bars)
    notes = tuple(Note(float(b), int(rng.integers(50, 70)), 1.0, 90) for b in range(beats))
    return Score(tempo, metre, bars, {"lead": notes, "drums": notes[::2]}, (Chord(0.0, float(beats), 0, "maj"),))


def ringing(score):
    """Every note rings on for RING samples; the score's end cuts them, as synthesizers do."""
    stems = {}
    decay = np.exp(-np.arange(RING) / 6000)
    for part in score.parts:
        stem = np.zeros(score.samples() + RING)
        for note in score.notes(part):
            start = round(note.onset * 60 / score.tempo * SAMPLE_RATE)
            stem[start : start + RING] += 0.2 * decay * np.sin(2 * np.pi * 3 * note.pitch * np.arange(RING) / 44100)
        stem = stem[: score.samples()]
        stem[-220:] *= np.linspace(1, 0, 220)
        stems[part] = stem.astype(np.float32)
    return stems


def wrapped(score):
    """What :func:`ringing` should give as a loop: its tails added to its beginning."""
    n = score.samples()
    stems = {}
    decay = np.exp(-np.arange(RING) / 6000)
    for part in score.parts:
        stem = np.zeros(n)
        for note in score.notes(part):
            start = round(note.onset * 60 / score.tempo * SAMPLE_RATE)
            sound = 0.2 * decay * np.sin(2 * np.pi * 3 * note.pitch * np.arange(RING) / 44100)
            np.add.at(stem, (start + np.arange(RING)) % n, sound)
        stems[part] = stem.astype(np.float32)
    return stems


@pytest.mark.parametrize("score", [score_of(), score_of(1, 180.0, "3/4"), score_of(5, 61.7)], ids=["2", "1", "5"])
def test_tails_come_round(score):
    made, expected = play_loop(score, ringing), wrapped(score)
    for part in score.parts:
        assert made[part].shape == (score.samples(),)
        # Notes fall on the nearest sample, which may be the next one after bars of uneven length.
        error = min(np.abs(np.roll(made[part], k) - expected[part]).max() for k in (-1, 0, 1))
        assert error < 0.02


def test_an_unrolled_score_ends_with_the_score():
    score = score_of(2)
    for before in (1, 2, 5):
        long = unrolled(score, before)
        assert long.bars == 2 + before
        assert long.section(before, 2).parts == score.parts
        rest = long.section(0, before)
        assert len(rest.notes("lead")) == 4 * before
        assert rest.notes("lead")[-1].pitch == score.notes("lead")[-1].pitch


def style(**values):
    return Style.from_dict({}).with_values(**values)


def test_a_loop_may_begin_anywhere():
    """Mixing a turned loop is turning the mixed loop: nothing knows where the beginning is."""
    stems, shift = wrapped(score_of(1)), 40_000
    asked = style(space=0.8, drive=0.3, brightness=0.7, vibrato=0.0)
    clip, turned = (
        mix({part: np.roll(stem, -k) for part, stem in stems.items()}, asked, seed=1, ending="loop").samples
        for k in (0, shift)
    )
    expected = np.roll(clip, -shift, axis=-1)
    # The loudness meter's own grid may give a hair of gain.
    gain = float((expected * turned).sum() / (turned**2).sum())
    assert abs(gain - 1) < 0.02
    # Compressor and limiter work on a grid of milliseconds.
    assert np.sqrt(np.mean((expected - gain * turned) ** 2) / np.mean(expected**2)) < 0.01


@pytest.mark.parametrize("speed", [1.0, 0.93])
def test_a_loop_joins_whatever_the_mixer_adds(speed):
    score = score_of(2)
    asked = style(noise=0.6, vibrato=1.0, space=1.0, speed=speed, drive=0.5)
    clip = mix(wrapped(score), asked, seed=2, ending="loop")
    found = clip_seam(clip, score)
    assert clip.samples.shape[1] == round(score.samples() / speed)
    assert found.step_db <= 0
    assert found.level_percentile <= 0.95
    assert abs(integrated_loudness(clip.samples, SAMPLE_RATE) + 16) < 1
    assert true_peak(clip.samples) <= -1


def test_a_clip_that_closes_ends_in_silence():
    score = score_of(2)
    stems = ringing(score)
    clip = mix(stems, style(space=1.0, noise=0.5), seed=1, tempo=score.tempo, ending="close")
    assert clip.samples.shape[1] == score.samples()
    last = clip.samples[:, -round(0.05 * SAMPLE_RATE) :]
    assert np.abs(last).max() < 10 ** (-50 / 20)
    tail = clip.samples[:, -round(0.5 * SAMPLE_RATE) :]
    assert np.abs(np.diff(tail, axis=-1)).max() <= np.quantile(np.abs(np.diff(clip.samples, axis=-1)), 0.99)


def test_an_unknown_ending_is_a_mistake():
    with pytest.raises(ValueError, match="no ending"):
        mix(ringing(score_of(1)), style(), seed=0, ending="bang")
