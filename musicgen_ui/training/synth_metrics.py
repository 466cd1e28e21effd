"""How far a generated stem is from the SoundFont's rendering of the same notes.

The score is known, so the comparison is paired and needs no learned embedding. One scalar gain a stem is removed
first (the generated stem is brought to the reference's RMS, which is not fitted to any of the distances); it is
reported in dB. All stems are mono at 44.1 kHz. Spectra: Hann windows of 512 to 4096, hop a quarter of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import librosa
import mir_eval
import numpy as np
from scipy.signal import resample_poly

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.spectral import magnitudes, mel_filters
from musicgen_ui.audio.waveform import SAMPLE_RATE

SIZES = (512, 1024, 2048, 4096)
LARGEST = SIZES[-1]
MEL_BANDS = {512: 40, 1024: 64, 2048: 96, 4096: 128}
FLOOR = 1e-4
"""Logarithms are floored 80 dB below the reference's strongest bin: what is quieter than that is not heard."""

ONSET_HOP = 256
ONSET_WINDOW = 0.05
CHORD_SECONDS = 0.03
"""Notes of a score that start within 30 ms are one onset."""

LEAD_IN = 0.2
"""Seconds of silence put before a stem, so that a note on its first sample rises out of something."""

F0_HOP = 441
F0_RATE = SAMPLE_RATE // 2
F0_WINDOW = 2048
F0_RANGE_HZ = (30.0, 4200.0)
F0_RANGE_DB = 40.0
GROSS_CENTS = 50.0
OVERLAP = round(0.02 * SAMPLE_RATE)

CLOSE_CENTS = 20.0

DISTANCES = ("spectral convergence", "multi-resolution STFT", "multi-scale mel", "f0 (cents)")
PITCHES = ("written f0 (cents)", "within 20 cents", "within 50 cents")
METRICS = (*DISTANCES, *PITCHES, "chroma cosine", "onset F1")
ERRORS = (*DISTANCES, PITCHES[0])
"""The metrics that are better when they are lower."""


@dataclass(frozen=True)
class Spectra:
    """Magnitudes of a stem at every window length.

    Attributes:
        samples: (n,) float32.
        magnitude: window length to (bins, frames) float32.
    """

    samples: np.ndarray
    magnitude: dict[int, np.ndarray]

    @classmethod
    def of(cls, samples: np.ndarray) -> Spectra:
        return cls(samples, {n_fft: magnitudes(samples, n_fft=n_fft, hop=n_fft // 4) for n_fft in SIZES})


def level_matched(samples: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples (n,) at the RMS of the reference (n,), and the gain in dB; a silent stem stays as it is, at 0 dB."""
    rms, wanted = (float(np.sqrt(np.square(x, dtype=np.float64).mean())) for x in (samples, reference))
    if rms < 1e-9 or wanted < 1e-9:
        return samples, 0.0
    return samples * np.float32(wanted / rms), float(20.0 * np.log10(wanted / rms))


def spectral_convergence(reference: np.ndarray, generated: np.ndarray) -> float:
    """``||S - G|| / ||S||`` of magnitudes, Frobenius norm (Arik et al. 2019): 0 for equal, 1 for silence."""
    return float(np.linalg.norm(reference - generated) / max(float(np.linalg.norm(reference)), 1e-9))


def distances(reference: Spectra, generated: Spectra) -> dict[str, float]:
    """Spectral distances of stems of the same length and level.

    Returns:
        ``spectral convergence`` at a window of 4096; ``multi-resolution STFT``: mean over windows of spectral
        convergence and the L1 of natural log magnitudes (Yamamoto et al. 2020); ``multi-scale mel``: mean over
        windows of the L1 of log10 mel magnitudes with 40 to 128 bands (as in Kumar et al. 2023).
    """
    stft, mel = [], []
    for n_fft in SIZES:
        real, made = reference.magnitude[n_fft], generated.magnitude[n_fft]
        stft.append(spectral_convergence(real, made) + _log_distance(real, made))
        filters = mel_filters(SAMPLE_RATE, n_fft, MEL_BANDS[n_fft])
        mel.append(_log_distance(filters @ real, filters @ made) / np.log(10.0))
    return {
        "spectral convergence": spectral_convergence(reference.magnitude[LARGEST], generated.magnitude[LARGEST]),
        "multi-resolution STFT": float(np.mean(stft)),
        "multi-scale mel": float(np.mean(mel)),
    }


def _log_distance(reference: np.ndarray, generated: np.ndarray) -> float:
    floor = max(FLOOR * float(reference.max(initial=0.0)), 1e-9)
    return float(np.abs(np.log(np.maximum(reference, floor)) - np.log(np.maximum(generated, floor))).mean())


@lru_cache(maxsize=1)
def _chroma_filters() -> np.ndarray:
    return librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=LARGEST, tuning=0.0).astype(np.float32)


def chroma_cosine(reference: Spectra, generated: Spectra) -> float:
    """Cosine of the chroma of each frame, averaged with the reference's energy as weight.

    Chroma: librosa's filters over the power of the 4096 window, untuned. A frame that the generated stem leaves
    silent counts 0.
    """
    real, made = (_chroma_filters() @ np.square(x.magnitude[LARGEST]) for x in (reference, generated))
    norms = np.linalg.norm(real, axis=0) * np.linalg.norm(made, axis=0)
    cosine = (real * made).sum(axis=0) / np.maximum(norms, 1e-20)
    energy = np.square(reference.magnitude[LARGEST]).sum(axis=0)
    return float((cosine * energy).sum() / max(float(energy.sum()), 1e-20))


def score_onsets(notes: Sequence[PlayedNote], length: int) -> np.ndarray:
    """Seconds at which something starts, ascending; notes within 30 ms of the first of a chord belong to it."""
    times: list[float] = []
    for start in sorted(note.start for note in notes if note.start < length):
        if not times or start / SAMPLE_RATE - times[-1] > CHORD_SECONDS:
            times.append(start / SAMPLE_RATE)
    return np.array(times)


def heard_onsets(samples: np.ndarray) -> np.ndarray:
    """Onset times in seconds that librosa's peak picker finds in a SuperFlux envelope (hop 256) of (n,) samples.

    It knows nothing of the score, and is the same for the SoundFont and the model: the SoundFont's own F1 is
    what it can be expected to find.
    """
    if float(np.abs(samples).max(initial=0.0)) < 1e-6:
        return np.zeros(0)
    padded = np.pad(samples, (round(LEAD_IN * SAMPLE_RATE), 0))
    envelope = librosa.onset.onset_strength(
        y=padded, sr=SAMPLE_RATE, n_fft=2048, hop_length=ONSET_HOP, lag=2, max_size=3, n_mels=128
    )
    times = librosa.onset.onset_detect(onset_envelope=envelope, sr=SAMPLE_RATE, hop_length=ONSET_HOP, units="time")
    return np.maximum(times - LEAD_IN, 0.0)


def onset_f1(expected: np.ndarray, heard: np.ndarray) -> float:
    """mir_eval's F-measure of onset times in seconds, within 50 ms (Raffel et al. 2014)."""
    if not expected.size or not heard.size:
        return float(expected.size == heard.size)
    return float(mir_eval.onset.f_measure(expected, heard, window=ONSET_WINDOW)[0])


def is_monophonic(notes: Sequence[PlayedNote]) -> bool:
    """Whether no two notes sound together for longer than 20 ms."""
    ordered = sorted(notes, key=lambda note: note.start)
    return all(b.start > a.start and a.end - b.start <= OVERLAP for a, b in pairwise(ordered))


def f0_track(samples: np.ndarray) -> np.ndarray:
    """Fundamental frequency in Hz every 20 ms by YIN (de Cheveigné & Kawahara 2002) at half the sample rate."""
    low, high = F0_RANGE_HZ
    halved = resample_poly(samples, 1, 2).astype(np.float32)
    return librosa.yin(halved, fmin=low, fmax=high, sr=F0_RATE, frame_length=F0_WINDOW, hop_length=F0_HOP)


def f0_error(reference: np.ndarray, generated: np.ndarray, notes: Sequence[PlayedNote]) -> tuple[float, float] | None:
    """Pitch error of a monophonic stem, YIN against YIN.

    Compared where a note has sounded for 50 ms and is still held, the reference is within 40 dB of its loudest
    frame, and YIN hears the written note in the reference, in whatever octave: elsewhere (bells, noises) there is
    no pitch to compare.

    Returns:
        Median absolute error in cents, octaves folded (YIN itself is not sure of an organ's), and the share of frames
        that are off by more than 50 with octaves counted; None for a stem without ten such frames.
    """
    real = f0_track(reference)
    loud = _loud(reference, real.size)
    off = 12.0 * np.log2(real / 440.0) + 69.0 - _written(notes, real.size)
    heard = loud & (np.abs(off - 12.0 * np.round(off / 12.0)) <= GROSS_CENTS / 100)
    if heard.sum() < 10:
        return None
    cents = 1200.0 * np.log2(f0_track(generated)[heard] / real[heard])
    folded = cents - 1200.0 * np.round(cents / 1200.0)
    return float(np.median(np.abs(folded))), float((np.abs(cents) > GROSS_CENTS).mean())


def written_f0_error(samples: np.ndarray, notes: Sequence[PlayedNote]) -> dict[str, float]:
    """Pitch error of a monophonic stem against its score, where a note has sounded for 50 ms and is still held.

    Returns:
        ``written f0 (cents)``, the median absolute error with octaves folded, and the shares of frames within 20 and
        50 cents of the written note, octaves counted; nothing for a stem without ten such frames. Frames more than
        40 dB below the loudest have no pitch to measure. An instrument that is tuned apart is off by that.
    """
    heard = f0_track(samples)
    cents = 100.0 * (12.0 * np.log2(heard / 440.0) + 69.0 - _written(notes, heard.size))
    cents = cents[_loud(samples, heard.size) & np.isfinite(cents)]
    if cents.size < 10:
        return {}
    shares = [float((np.abs(cents) <= limit).mean()) for limit in (CLOSE_CENTS, GROSS_CENTS)]
    folded = cents - 1200.0 * np.round(cents / 1200.0)
    return dict(zip(PITCHES, (float(np.median(np.abs(folded))), *shares), strict=True))


def _written(notes: Sequence[PlayedNote], frames: int) -> np.ndarray:
    """(frames,) pitch of the note that has been held for 50 ms; NaN where there is none."""
    frame = np.arange(frames) * F0_HOP * (SAMPLE_RATE // F0_RATE)
    written = np.full(frames, np.nan)
    for note in notes:
        written[(frame >= note.start + 0.05 * SAMPLE_RATE) & (frame < note.end)] = note.pitch
    return written


def _loud(samples: np.ndarray, frames: int) -> np.ndarray:
    """(frames,) bool: within 40 dB of the loudest."""
    level = librosa.feature.rms(y=samples, frame_length=F0_WINDOW, hop_length=2 * F0_HOP)[0][:frames]
    loud = np.zeros(frames, dtype=bool)
    loud[: level.size] = level > max(float(level.max()), 1e-9) * 10.0 ** (-F0_RANGE_DB / 20)
    return loud


@dataclass(frozen=True)
class Reference:
    """A SoundFont stem and what is measured of it once.

    Attributes:
        spectra: of its samples.
        notes: what it plays.
        drums: whether it is a kit, which has no chroma and no pitch.
        onset_f1: of the detector on the SoundFont's own sound.
    """

    spectra: Spectra
    notes: tuple[PlayedNote, ...]
    drums: bool
    onset_f1: float

    @classmethod
    def of(cls, samples: np.ndarray, notes: Sequence[PlayedNote], *, drums: bool) -> Reference:
        found = onset_f1(score_onsets(notes, samples.size), heard_onsets(samples))
        return cls(Spectra.of(samples), tuple(notes), drums, found)

    def compare(self, samples: np.ndarray) -> dict[str, float | None]:
        """METRICS of a stem (n,) of the same notes, its ``gain (dB)`` and ``f0 gross errors``; None: not measured.

        Raises:
            ValueError: another length, or samples that are no numbers.
        """
        if samples.shape != self.spectra.samples.shape or not np.isfinite(samples).all():
            raise ValueError(f"a stem of {self.spectra.samples.shape} finite samples is needed, not {samples.shape}")
        matched, gain = level_matched(np.asarray(samples, dtype=np.float32), self.spectra.samples)
        spectra = Spectra.of(matched)
        result: dict[str, float | None] = dict(distances(self.spectra, spectra))
        result["chroma cosine"] = None if self.drums else chroma_cosine(self.spectra, spectra)
        result["onset F1"] = onset_f1(score_onsets(self.notes, matched.size), heard_onsets(matched))
        error = f0_error(self.spectra.samples, matched, self.notes) if self.tonal else None
        result["f0 (cents)"], result["f0 gross errors"] = error or (None, None)
        pitch = written_f0_error(matched, self.notes) if self.tonal else {}
        return result | {name: pitch.get(name) for name in PITCHES} | {"gain (dB)": gain}

    def own(self) -> dict[str, float]:
        """What can be measured of the SoundFont's own sound, without anything to compare it with."""
        pitch = written_f0_error(self.spectra.samples, self.notes) if self.tonal else {}
        return pitch | {"onset F1": self.onset_f1}

    @property
    def tonal(self) -> bool:
        """Whether it has one pitch at a time."""
        return not self.drums and is_monophonic(self.notes)
