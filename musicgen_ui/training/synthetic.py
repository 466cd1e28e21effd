"""Plain scores with known answers, and a plain synthesizer for them: nothing that the Listener was fitted to.

Tests and ``evaluate_listener`` use them as an oracle that needs no corpus and no SoundFont.
"""

from __future__ import annotations

import numpy as np

from musicgen_ui.music.score import METRES, Chord, Note, Score
from musicgen_ui.music.theory import chord_pitch_classes, key_is_minor, key_tonic

# (root above the tonic, quality) of four-chord progressions.
_PROGRESSIONS = {
    False: (
        ((0, "maj"), (9, "min"), (5, "maj"), (7, "maj")),
        ((0, "maj"), (5, "maj"), (0, "maj"), (7, "maj")),
        ((0, "maj"), (7, "maj"), (9, "min"), (5, "maj")),
    ),
    True: (
        ((0, "min"), (8, "maj"), (3, "maj"), (10, "maj")),
        ((0, "min"), (5, "min"), (0, "min"), (7, "7")),
        ((0, "min"), (10, "maj"), (8, "maj"), (7, "7")),
    ),
}
_KICK, _SNARE, _HAT = 36, 38, 42


def synthetic_score(
    rng: np.random.Generator,
    *,
    tempo: float,
    key: str,
    metre: str = "4/4",
    bars: int = 16,
    drums: bool = True,
    offbeat: float = 0.3,
    swing: float = 0.5,
) -> Score:
    """A band that plays four chords round and round.

    Args:
        rng: chooses the progression and the melody.
        tempo: beats per minute.
        key: canonical key name.
        metre: ``4/4`` or ``3/4``.
        bars: length.
        drums: whether there is a kit.
        offbeat: chance that the melody plays on an off-beat eighth, which a beat always has.
        swing: place of the off-beat eighth within the beat: 0.5 is straight, 2 / 3 is a triplet shuffle.

    Returns:
        Score with chords and key; all parts observed.
    """
    minor, tonic, per_bar = key_is_minor(key), key_tonic(key), METRES[metre]
    progressions = _PROGRESSIONS[minor]
    progression = progressions[int(rng.integers(len(progressions)))]
    lead, comping, bass, kit, chords = [], [], [], [], []
    for bar in range(bars):
        root, quality = progression[bar % 4]
        root = (tonic + root) % 12
        tones = sorted(48 + (pc - 48) % 12 for pc in chord_pitch_classes(root, quality))
        chords.append(Chord(float(bar * per_bar), float(per_bar), root, quality))
        for step in range(per_bar):
            beat = float(bar * per_bar + step)
            if step in (0, 2):
                bass.append(Note(beat, 36 + (root - 36) % 12, 0.9, 100))
            comping += [Note(beat, tone, 0.8, 80) for tone in tones]
            lead.append(Note(beat, 12 + tones[int(rng.integers(3))] + 12 * int(rng.integers(2)), 0.45, 96))
            if rng.random() < offbeat:
                lead.append(Note(beat + swing, 12 + tones[int(rng.integers(3))], 0.3, 84))
            backbeat = step % 2 == 1 if metre == "4/4" else step > 0
            kit += [Note(beat, _SNARE if backbeat else _KICK, 0.25, 105), Note(beat, _HAT, 0.25, 70)]
            kit.append(Note(beat + swing, _HAT, 0.25, 60))
    parts = {"lead": lead, "chords": comping, "bass": bass, "drums": kit if drums else []}
    return Score(tempo, metre, bars, {p: tuple(sorted(n)) for p, n in parts.items()}, tuple(chords), key)


def synthetic_sound(score: Score, rng: np.random.Generator, *, sample_rate: int = 22_050) -> np.ndarray:
    """Plays a score on decaying harmonic tones and bursts of noise: (2, n) float32, score.samples(sample_rate) long.

    Args:
        score: any score.
        rng: of the noise and the phases.
        sample_rate: in Hz.
    """
    n = score.samples(sample_rate)
    clip = np.zeros((2, n))
    seconds = 60.0 / score.tempo
    for part, places in (("lead", (0.6, 0.4)), ("chords", (0.35, 0.45)), ("bass", (0.5, 0.5)), ("drums", (0.5, 0.5))):
        for note in score.notes(part):
            start = round(note.onset * seconds * sample_rate)
            sound = _drum(note.pitch, sample_rate, rng) if part == "drums" else _tone(note, seconds, sample_rate, rng)
            sound = sound[: n - start] * (note.velocity / 127.0)
            for channel in range(2):
                clip[channel, start : start + sound.size] += places[channel] * sound
    peak = np.abs(clip).max(initial=0.0)
    return (clip * (0.7 / peak if peak > 0 else 0.0)).astype(np.float32)


def _tone(note: Note, beat_seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Eight partials that fall with frequency and time; a release of 60 ms."""
    held = note.duration * beat_seconds
    time = np.arange(round((held + 0.3) * sample_rate)) / sample_rate
    fundamental = 440.0 * 2.0 ** ((note.pitch - 69) / 12)
    envelope = np.minimum(time / 0.004, 1.0) * np.exp(-time / 0.7) * np.exp(-np.maximum(time - held, 0.0) / 0.06)
    partials = [k for k in range(1, 9) if k * fundamental < 0.45 * sample_rate]
    waves = sum(np.sin(2 * np.pi * k * fundamental * time + rng.uniform(0, 2 * np.pi)) / k for k in partials)
    return 0.3 * envelope * waves


def _drum(pitch: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """A falling sine for the kick, noise for the snare, short differentiated noise for everything else."""
    time = np.arange(round(0.25 * sample_rate)) / sample_rate
    if pitch == _KICK:
        return np.exp(-time / 0.08) * np.sin(2 * np.pi * (50 * time + 2.0 * (1 - np.exp(-time / 0.03))))
    noise = rng.standard_normal(time.size)
    if pitch == _SNARE:
        return 0.4 * noise * np.exp(-time / 0.06)
    return 0.25 * np.diff(noise, append=0.0) * np.exp(-time / 0.02)
