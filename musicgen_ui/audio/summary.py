"""A clip in a few dozen numbers: what the networks read that estimate a score's measures from audio alone."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio import rhythm, tonality
from musicgen_ui.audio.attacks import STEPS_PER_BEAT, VARYING_FEATURES
from musicgen_ui.audio.networks import softmax
from musicgen_ui.audio.rhythm import Steps
from musicgen_ui.audio.tonality import Pitches
from musicgen_ui.music.theory import key_correlations

RHYTHM = ("energy", "density", "syncopation")
"""Outputs of the ``rhythm`` network, in order."""


def rhythm_summary(steps: Steps, features: np.ndarray, bpm: float, punch: float) -> np.ndarray:
    """What the rhythm network reads of a clip.

    The plain estimates of density, syncopation and energy, by decided and by expected onsets; how onsets and their
    strength are spread over the beat; means and deviations of :func:`step_features` over the onsets.

    Args:
        steps: as heard.
        features: (steps, STEP_FEATURES) that they were heard from.
        bpm: tempo.
        punch: of ``audio.punch.punch``, in dB.
    """
    onset, beats = steps.onset, len(steps.onset) / STEPS_PER_BEAT
    whole = onset.sum() + 1e-6
    share = onset / whole
    strength, power = onset * steps.strength, onset * steps.power
    by_place = [x.reshape(-1, STEPS_PER_BEAT).sum(axis=0) for x in (onset, strength)]
    level = np.log(steps.power)
    middle = share @ level
    mean = share @ features
    spread = np.sqrt(share @ np.square(features - mean))
    return np.concatenate(
        [
            [rhythm.density(steps), whole / beats, np.log(whole / beats + 0.05)],
            [rhythm.syncopation(steps) or 0.0, 1.0 - by_place[1][0] / (strength.sum() + 1e-6)],
            [rhythm.energy(steps) or middle, np.log(power.sum() / whole + 1e-3), middle],
            [np.sqrt(share @ np.square(level - middle)), share @ np.log(steps.strength)],
            [(onset * (1.0 - onset)).mean(), np.log(bpm / 100.0), np.log(punch + 0.1)],
            by_place[0] / beats,
            by_place[1] / (strength.sum() + 1e-6),
            mean,
            spread[:VARYING_FEATURES],
        ]
    )


def mood_summary(pitches: Pitches, keys: np.ndarray) -> np.ndarray:
    """What the mood network reads of a clip.

    Args:
        pitches: soft piano roll.
        keys: (24,) scores of the key network.
    """
    chance = softmax(keys)
    best = int(keys.argmax())
    probability = pitches.probability
    chromas = [tonality.fold(x).sum(axis=1) for x in (probability, probability > 0.5, np.square(probability))]
    bass = tonality.fold(pitches.lowest()).sum(axis=1)
    shares = [np.sqrt(np.roll(c / (c.sum() + 1e-9), -(best % 12))) for c in (chromas[0], chromas[1], bass)]
    fits = [key_correlations(c + 1e-6) for c in (*chromas, bass)]
    polyphony = probability.sum(axis=0)
    change = tonality.harmonic_change(pitches.chroma())
    return np.concatenate(
        [
            [fit[:12].max() - fit[12:].max() for fit in fits],
            [half.max() for half in np.split(fits[0], 2)],
            [tonality.entropy(c + 1e-6) for c in (*chromas, bass)],
            [chance[:12].sum(), float(best >= 12), chance.max()],
            *shares,
            *(share * (best >= 12) for share in shares[:1]),
            [np.log(polyphony.mean() + 0.1), polyphony.std() / (polyphony.mean() + 0.1)],
            [change.mean(), *np.percentile(change, [50, 90])],
            [np.minimum(probability, 1 - probability).sum() / (probability.sum() + 1e-6)],
        ]
    )


def complexity_summary(pitches: Pitches, keys: np.ndarray, bpm: float, start: float) -> np.ndarray:
    """What the complexity network reads of a clip: :func:`mood_summary` and how the harmony moves from beat to beat.

    Args:
        pitches: soft piano roll.
        keys: (24,) scores of the key network.
        bpm: tempo.
        start: seconds to the first beat.
    """
    moves = tonality.beat_changes(pitches, bpm, start)
    return np.concatenate([mood_summary(pitches, keys), moves, [np.log(bpm / 100.0)]])
