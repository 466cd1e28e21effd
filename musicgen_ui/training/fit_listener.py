"""Fits the Listener's networks to scores that were played for it: pitches, tempo, beat, steps, key, measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from musicgen_ui.audio.attacks import SAMPLE_RATE as PULSE_RATE
from musicgen_ui.audio.attacks import Attacks, hear_attacks, step_features
from musicgen_ui.audio.networks import FeatureNetwork
from musicgen_ui.audio.punch import punch
from musicgen_ui.audio.rhythm import PHASES, hear_steps, phase_features, with_harmonic_change
from musicgen_ui.audio.score_pulse import score_pulse
from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.summary import RHYTHM, complexity_summary, mood_summary, rhythm_summary
from musicgen_ui.audio.tempo import Pulse, tempo_features
from musicgen_ui.audio.timbre import is_stereo, space_features
from musicgen_ui.audio.tonality import (
    FRAME_RATE,
    LOWEST_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Pitches,
    activations,
    hear_strength,
    key_features,
    pitch_features,
)
from musicgen_ui.audio.waveform import resample
from musicgen_ui.music.measures import measure, onset_strength
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import KEYS
from musicgen_ui.training.fit_network import Group, fit_choice, fit_measures, fit_regression, fit_ridge
from musicgen_ui.training.listener_data import Example


@dataclass(frozen=True)
class Observation:
    """What the Listener's front end makes of an example, with the score that is the answer.

    Attributes:
        score: the answer.
        attacks: levels over time, in half precision: there are thousands of clips.
        strength: (PITCHES, frames) of ``tonality.activations``.
        space: (40,) of ``timbre.space_features``, or None for mono.
        rhythmic: False where there is no tempo to find.
        room: ``Style.space`` of the mix, or None where it is not known.
        punch: of ``audio.punch.punch``, in dB.
    """

    score: Score
    attacks: Attacks
    strength: np.ndarray
    space: np.ndarray | None = None
    rhythmic: bool = True
    room: float | None = None
    punch: float = 0.0

    def wide_attacks(self) -> Attacks:
        """The attacks in single precision."""
        return Attacks(self.attacks.mels.astype(np.float32), self.attacks.semitones.astype(np.float32))


def observe(example: Example) -> Observation:
    """Runs the parts of the Listener that need no fitting."""
    samples = resample(example.samples, example.sample_rate, PULSE_RATE)
    mixed = mono(samples)
    low = resample(mixed, PULSE_RATE, SAMPLE_RATE)
    heard = hear_attacks(mixed, low)
    attacks = Attacks(heard.mels.astype(np.float16), heard.semitones.astype(np.float16))
    strength, _ = activations(low)
    space = space_features(samples, PULSE_RATE) if is_stereo(samples) else None
    hit = punch(mixed, PULSE_RATE)
    return Observation(example.score, attacks, strength, space, example.rhythmic, example.space, hit)


def fit_listener(
    observations: Sequence[Observation],
    *,
    seed: int = 0,
    kept: Mapping[str, FeatureNetwork] | None = None,
    log: Callable[[str], None] | None = None,
) -> dict[str, FeatureNetwork]:
    """All networks, each fitted to the output of those before it.

    Args:
        observations: a thousand or more, of many pieces, one in ten without rhythm.
        seed: of the initial weights and the order of examples.
        kept: networks that stay as they are, because others were fitted to their output.
        log: told each network's final loss.
    """
    rng = np.random.default_rng(seed)
    networks: dict[str, FeatureNetwork] = dict(kept or {})

    def keep(name: str, fitted: tuple[FeatureNetwork, float]) -> None:
        networks[name], loss = fitted
        if log is not None:
            log(f"{name} {loss:.4f}")

    if "pitch" not in networks:
        keep("pitch", fit_regression(*_pitch_cells(observations, rng), binary_loss, units=24, epochs=10, seed=seed))
    clips = [_clip(seen, networks["pitch"]) for seen in observations]
    played = [clip for clip in clips if clip.rhythmic]
    sounds = [(clip.pulse, clip.score.tempo, clip.rhythmic) for clip in clips]
    keep("tempo", fit_choice(_tempo_groups(sounds), units=24, epochs=40, seed=seed))
    notes = [
        (score_pulse(clip.score), clip.score.tempo, clip.rhythmic) for clip in clips if any(clip.score.parts.values())
    ]
    keep("clarity", fit_choice(_tempo_groups(notes), units=2, epochs=40, seed=seed))
    if "beat" not in networks:
        keep("beat", fit_choice(_beat_groups(played, rng), units=8, epochs=20, seed=seed))
    keep("key", fit_choice(_key_groups(played), units=0, epochs=150, seed=seed))
    # Clips whose steps a network was fitted to are heard too well: the measures are fitted to what a network hears of
    # steps that it has not seen.
    halves = played[::2], played[1::2]
    others = [_fit_steps(half, seed)[0] for half in halves[::-1]]
    keep("step", _fit_steps(played, seed))
    heard = [(clip, network) for half, network in zip(halves, others, strict=True) for clip in half]
    rhythms = np.stack(
        [rhythm_summary(hear_steps(c.steps, network), c.steps, c.score.tempo, c.punch) for c, network in heard]
    )
    keep("rhythm", fit_measures(rhythms, _measured([c for c, _ in heard], RHYTHM), units=10, epochs=100, seed=seed))
    tonal = [clip for clip in played if clip.score.pitched]
    keys = [networks["key"](key_features(clip.pitches))[:, 0] for clip in tonal]
    moods = np.stack([mood_summary(clip.pitches, key) for clip, key in zip(tonal, keys, strict=True)])
    keep("mood", fit_measures(moods, _measured(tonal, ("mood",)), units=8, epochs=100, seed=seed))
    moves = np.stack(
        [complexity_summary(c.pitches, key, c.score.tempo, 0.0) for c, key in zip(tonal, keys, strict=True)]
    )
    keep("complexity", fit_measures(moves, _measured(tonal, ("complexity",)), units=8, epochs=100, seed=seed))
    rooms = [seen for seen in observations if seen.space is not None and seen.room is not None]
    if rooms:
        features = np.stack([seen.space for seen in rooms])
        targets = np.array([[seen.room] for seen in rooms])
        keep("space", fit_ridge(features, targets))
    return networks


@dataclass(frozen=True)
class _Clip:
    score: Score
    rhythmic: bool
    pitches: Pitches
    pulse: Pulse
    steps: np.ndarray
    punch: float


def _clip(seen: Observation, network: FeatureNetwork) -> _Clip:
    pitches = hear_strength(seen.strength, 0.0, network)
    attacks = seen.wide_attacks()
    steps = step_features(attacks, pitches, seen.score.tempo, 0.0)
    return _Clip(seen.score, seen.rhythmic, pitches, with_harmonic_change(attacks.flux, pitches), steps, seen.punch)


def _fit_steps(clips: Sequence[_Clip], seed: int) -> tuple[FeatureNetwork, float]:
    return fit_regression(*_step_rows(clips), step_loss, units=32, epochs=12, seed=seed, dropout=0.1, outputs=3)


def _measured(clips: Iterable[_Clip], names: Sequence[str]) -> np.ndarray:
    """(clips, names) raw measures of the scores, not a number where there is none."""
    rows = [measure(clip.score) for clip in clips]
    return np.array([[np.nan if row[name] is None else row[name] for name in names] for row in rows])


def binary_loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(out, target)


def step_loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Onset or none for every step; log strength and log power where there is one."""
    struck = (target[:, 0] > 0).float()
    onset = functional.binary_cross_entropy_with_logits(out[:, 0], struck)
    log_target = torch.log(torch.clamp(target, min=1e-3))
    miss = ((out[:, 1:] - log_target) ** 2).sum(dim=1)
    return onset + 0.5 * (miss * struck).sum() / struck.sum().clamp(min=1.0)


def sounding(score: Score, frames: int) -> np.ndarray:
    """(PITCHES, frames) 1 where a pitched note of the score sounds, in frames of ``tonality``."""
    roll = np.zeros((PITCHES, frames), dtype=np.float32)
    per_beat = 60.0 / score.tempo * FRAME_RATE
    for note in score.pitched:
        if 0 <= note.pitch - LOWEST_PITCH < PITCHES:
            start = int(note.onset * per_beat + 0.5)
            end = max(start + 1, int((note.onset + note.duration) * per_beat + 0.5))
            roll[note.pitch - LOWEST_PITCH, start:end] = 1.0
    return roll


def _pitch_cells(
    observations: Iterable[Observation], rng: np.random.Generator, cells: int = 600
) -> tuple[np.ndarray, np.ndarray]:
    features, targets = [], []
    for seen in observations:
        truth = sounding(seen.score, seen.strength.shape[1]).ravel()
        chosen = rng.choice(truth.size, min(cells, truth.size), replace=False)
        rows = pitch_features(seen.strength)
        features.append(rows.reshape(-1, rows.shape[-1])[chosen])
        targets.append(truth[chosen, None])
    return np.concatenate(features), np.concatenate(targets)


def _tempo_groups(clips: Iterable[tuple[Pulse, float, bool]]) -> list[Group]:
    """Candidates and the right one for each pulse, its tempo, and whether it has one."""
    groups: list[Group] = []
    for pulse, tempo, rhythmic in clips:
        bpm, features = tempo_features(pulse)
        if bpm.size == 0:
            continue
        miss = np.abs(np.log(bpm / tempo))
        if not rhythmic:
            groups.append((features, None))
        elif miss.min() < 0.02:
            groups.append((features, int(miss.argmin())))
    return groups


def _beat_groups(clips: Iterable[_Clip], rng: np.random.Generator) -> list[Group]:
    """Clips begin on a beat, so part of each is cut off to make the question fair."""
    groups: list[Group] = []
    for clip in clips:
        frames_per_beat = 60.0 / clip.score.tempo * clip.pulse.frame_rate
        cut = int(rng.integers(2 * int(frames_per_beat)))
        answer = round(-cut / frames_per_beat % 1.0 * PHASES) % PHASES
        rest = Pulse(clip.pulse.envelopes[:, cut:], clip.pulse.frame_rate)
        groups.append((phase_features(rest, clip.score.tempo), answer))
    return groups


def _step_rows(clips: Iterable[_Clip]) -> tuple[np.ndarray, np.ndarray]:
    features, targets = [], []
    for clip in clips:
        truth = onset_strength(clip.score)
        count = min(len(clip.steps), len(truth))
        features.append(clip.steps[:count])
        targets.append(truth[:count])
    return np.concatenate(features), np.concatenate(targets)


def _key_groups(clips: Iterable[_Clip]) -> list[Group]:
    return [
        (key_features(clip.pitches), KEYS.index(clip.score.key))
        for clip in clips
        if clip.score.key is not None and clip.score.pitched
    ]
