"""What a score's pulse would look like if it were played: onset strength by register and drum, and harmonic change.

A cheap stand-in for synthesis, good enough to tell whether the tempo of a take will be plain to hear.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from musicgen_ui.audio.spectral import FLUX_BANDS_HZ
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import FRAME_RATE as PITCH_FRAME_RATE
from musicgen_ui.audio.tonality import harmonic_change
from musicgen_ui.music.score import Score

PULSE_RATE = 50.0
"""Frames a second: coarser than in audio, where attacks have to be found first."""

_PARTIALS = 10
_KICKS, _SNARES, _TOMS = (35, 36), (37, 38, 39, 40), (41, 43, 45, 47, 48, 50)
_DRUMS = {
    "kick": (1.0, 0.4, 0.2, 0.1, 0.1),
    "snare": (0.2, 0.6, 0.9, 1.2, 1.2),
    "tom": (0.6, 0.8, 0.4, 0.2, 0.1),
    "cymbal": (0.0, 0.0, 0.2, 0.7, 1.2),
}
"""Onset strength of drums in the bands of FLUX_BANDS_HZ."""


@lru_cache(maxsize=1)
def _tones() -> np.ndarray:
    """(128, 5) onset strength of a note at each pitch in the bands: roots of harmonics that fall by 6 dB an octave."""
    hertz = 440.0 * 2.0 ** ((np.arange(128) - 69) / 12)
    strength = np.zeros((128, len(FLUX_BANDS_HZ) - 1))
    for partial in range(1, _PARTIALS + 1):
        band = np.digitize(hertz * partial, FLUX_BANDS_HZ[1:])
        heard = band < strength.shape[1]
        strength[np.flatnonzero(heard), band[heard]] += 1.0 / np.sqrt(partial)
    return 0.25 * strength


def _drum(pitch: int) -> tuple[float, ...]:
    if pitch in _KICKS:
        return _DRUMS["kick"]
    if pitch in _SNARES:
        return _DRUMS["snare"]
    return _DRUMS["tom" if pitch in _TOMS else "cymbal"]


def score_pulse(score: Score) -> Pulse:
    """The pulse (6, frames) of a score at its tempo, PULSE_RATE frames a second."""
    frames = int(score.seconds * PULSE_RATE) + 1
    envelopes = np.zeros((frames + 1, len(FLUX_BANDS_HZ)))
    onsets, rows = [], []
    for part, notes in score.parts.items():
        for note in notes:
            bands = np.asarray(_drum(note.pitch)) if part == "drums" else _tones()[note.pitch]
            onsets.append(note.onset)
            rows.append(bands * np.sqrt(note.velocity / 127.0))
    if rows:
        place = np.array(onsets) * 60.0 / score.tempo * PULSE_RATE
        first = np.clip(place.astype(int), 0, frames - 1)
        share = np.clip(place - first, 0.0, 1.0)[:, None]
        rows = np.array(rows)
        np.add.at(envelopes[:, :5], first, rows * (1 - share))
        np.add.at(envelopes[:, :5], first + 1, rows * share)
    # Many notes at once are not as many times as strong: levels are compressed where onsets are found.
    envelopes = np.log1p(3.0 * envelopes[:frames])
    change = harmonic_change(_chroma(score))
    time = np.arange(frames) / PULSE_RATE
    envelopes[:, 5] = np.interp(time, np.arange(change.size) / PITCH_FRAME_RATE, change)
    return Pulse(np.ascontiguousarray(envelopes.T), PULSE_RATE)


def _chroma(score: Score) -> np.ndarray:
    """(12, frames) number of notes of each pitch class that sound, PITCH_FRAME_RATE frames a second."""
    frames = max(1, int(score.seconds * PITCH_FRAME_RATE))
    change = np.zeros((12, frames + 1))
    per_beat = 60.0 / score.tempo * PITCH_FRAME_RATE
    for note in score.pitched:
        start = min(int(note.onset * per_beat + 0.5), frames)
        end = min(max(start + 1, int((note.onset + note.duration) * per_beat + 0.5)), frames)
        change[note.pitch % 12, start] += 1.0
        change[note.pitch % 12, end] -= 1.0
    return np.cumsum(change, axis=1)[:, :frames]
