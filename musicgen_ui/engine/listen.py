"""The Listener: what a person would say of a clip, measured from its audio alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio import rhythm, tonality
from musicgen_ui.audio.attacks import SAMPLE_RATE, Attacks, hear_attacks, step_features
from musicgen_ui.audio.genre import GenreClassifier, Impression, hear_genre, named_genre
from musicgen_ui.audio.networks import FeatureNetwork, load_networks
from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.punch import punch
from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.summary import RHYTHM, complexity_summary, mood_summary, rhythm_summary
from musicgen_ui.audio.tempo import Pulse, TempoCandidate, refine_tempo, tempo_candidates
from musicgen_ui.audio.timbre import brightness, is_stereo, space_features
from musicgen_ui.audio.tonality import Pitches
from musicgen_ui.audio.waveform import resample
from musicgen_ui.music.theory import KEYS
from musicgen_ui.scale import Scales, UnitScale
from musicgen_ui.style import SLIDERS

Hook = Callable[[str, int, int], None]

SHORTEST_SECONDS = 3.0
SILENCE_RMS = 1e-3
"""Root mean square (-60 dBFS) below which a clip is silent."""

LONGEST_SECONDS = 90.0
"""Longer clips are judged by their middle: people who play for minutes drift, and a minute and a half says enough."""

PRECISION: dict[str, float] = {
    "tempo": 0.04,
    "mood": 0.15,
    "energy": 0.10,
    "density": 0.21,
    "syncopation": 0.21,
    "complexity": 0.23,
    "brightness": 0.04,
    "space": 0.17,
}
"""How exactly each slider can be heard: four in five clips of the studio are heard within this of their score's value,
in slider units; the tempo relatively."""

UNIT_SLIDERS = tuple(key for key, slider in SLIDERS.items() if (slider.low, slider.high) == (0, 1))


@dataclass(frozen=True)
class Heard:
    """What was heard.

    Attributes:
        values: every slider in the slider's own unit, and ``key`` and ``genre``; None where it cannot be told.
        raw: every slider's raw measure, comparable with ``music.measures``; None where it cannot be told.
        tempi: candidate tempi, most probable first: the runners-up are mostly the octaves of the first.
        impression: genres, parts and metre; None without a classifier or a beat.
    """

    values: dict[str, float | str | None]
    raw: dict[str, float | None]
    tempi: tuple[TempoCandidate, ...] = ()
    impression: Impression | None = None


def listen(
    samples: np.ndarray,
    sample_rate: int,
    scales: Scales | None = None,
    *,
    classifier: GenreClassifier | None = None,
    hook: Hook | None = None,
) -> Heard:
    """Measures a clip. None stands for "cannot tell", never for a guess.

    Args:
        samples: (channels, n) or (n,) float, finite.
        sample_rate: in Hz.
        scales: quantiles that turn raw measures into unit sliders (``scales["audio"]``). Without them only tempo,
            key and the raw measures are filled.
        classifier: of genres; without it no genre is heard.
        hook: told ``("listen", done, total)`` before each piece of work; may raise ``Cancelled``.

    Raises:
        ValueError: the samples are of the wrong shape or not finite.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim not in (1, 2) or not np.isfinite(samples).all():
        raise ValueError("samples must be finite, (channels, n) or (n,)")
    raw: dict[str, float | None] = dict.fromkeys(SLIDERS)
    key: str | None = None
    tempi: tuple[TempoCandidate, ...] = ()
    impression: Impression | None = None
    report = (lambda done: None) if hook is None else (lambda done: hook("listen", done, 5))
    if _audible(samples, sample_rate):
        report(0)
        networks = load_networks()
        wide = resample(_middle(np.atleast_2d(samples), sample_rate), sample_rate, SAMPLE_RATE)
        wide -= wide.mean(axis=1, keepdims=True)  # an offset is not sound
        mixed = mono(wide)
        report(1)
        low = resample(mixed, SAMPLE_RATE, tonality.SAMPLE_RATE)
        pitches = tonality.hear_pitches(low, networks["pitch"])
        report(2)
        attacks = hear_attacks(mixed, low)
        pause()
        pulse = rhythm.with_harmonic_change(attacks.flux, pitches)
        beat, tempi = _beat(pulse, networks)
        pause()
        if classifier is not None:
            impression = hear_genre(mixed, pulse, pitches, beat, classifier)
        report(3)
        if beat is not None:
            raw |= {"tempo": beat[0]} | _rhythm(attacks, pitches, beat, punch(mixed, SAMPLE_RATE), networks)
        if tonality.is_tonal(pitches):
            keys = networks["key"](tonality.key_features(pitches))[:, 0]
            key = KEYS[int(keys.argmax())]
            raw["mood"] = float(networks["mood"](mood_summary(pitches, keys))[0])
            if beat is not None:
                raw["complexity"] = float(networks["complexity"](complexity_summary(pitches, keys, *beat))[0])
        report(4)
        raw["brightness"] = brightness(mixed, SAMPLE_RATE)
        if is_stereo(wide):
            raw["space"] = float(networks["space"](space_features(wide, SAMPLE_RATE))[0])
    genre = None if impression is None else named_genre(impression.genres)
    values = _values(raw, {} if scales is None else scales["audio"]) | {"key": key, "genre": genre}
    return Heard(values, raw, tempi, impression)


def _audible(samples: np.ndarray, sample_rate: int) -> bool:
    """Whether there are three seconds or more, and they are not silence."""
    if samples.shape[-1] < SHORTEST_SECONDS * sample_rate:
        return False
    return bool(samples.std(axis=-1, dtype=np.float64).max() > SILENCE_RMS)


def _middle(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """At most LONGEST_SECONDS of (channels, n)."""
    length = min(samples.shape[1], int(LONGEST_SECONDS * sample_rate))
    first = (samples.shape[1] - length) // 2
    return samples[:, first : first + length]


def _beat(
    pulse: Pulse, networks: Mapping[str, FeatureNetwork]
) -> tuple[tuple[float, float] | None, tuple[TempoCandidate, ...]]:
    """Tempo in BPM with the seconds to the first beat, None when there is none; and all candidates."""
    tempi = tuple(tempo_candidates(pulse, networks["tempo"]))
    none_of_them = 1.0 - sum(tempo.probability for tempo in tempi)
    if not tempi or tempi[0].probability <= none_of_them:
        return None, tempi
    bpm = refine_tempo(pulse, tempi[0].bpm)
    return (bpm, rhythm.first_beat(pulse, bpm, networks["beat"])), tempi


def _rhythm(
    attacks: Attacks,
    pitches: Pitches,
    beat: tuple[float, float],
    hit: float,
    networks: Mapping[str, FeatureNetwork],
) -> dict[str, float | None]:
    """Energy, density and syncopation, raw; nothing where nothing starts."""
    features = step_features(attacks, pitches, *beat)
    steps = rhythm.hear_steps(features, networks["step"])
    if not (steps.onset > 0.5).any():
        return {}
    heard = networks["rhythm"](rhythm_summary(steps, features, beat[0], hit))
    measured = dict(zip(RHYTHM, map(float, heard), strict=True))
    most = {"density": float(rhythm.STEPS_PER_BEAT), "syncopation": 1.0}
    return measured | {name: min(max(measured[name], 0.0), high) for name, high in most.items()}


def _values(raw: Mapping[str, float | None], scales: Mapping[str, UnitScale]) -> dict[str, float | str | None]:
    """Raw measures in the sliders' units."""
    values: dict[str, float | str | None] = {}
    for slider in SLIDERS:
        value = raw[slider]
        if slider in UNIT_SLIDERS:
            value = scales[slider].to_unit(value) if value is not None and slider in scales else None
        values[slider] = value
    return values
