"""Can a classifier tell generated stems from SoundFont stems? Held-out AUC: 0.5 if not at all, 1 if always.

Both play the same scores, in windows of one second, at the same level and with the same 16-bit quantisation, so that
neither the notes, nor the gain, nor the file format gives the answer. No passage is in training and test at once; a
judge that has heard other passages of the same preset is the stricter one. Two classifiers look for what differs in
statistics of each window, logistic regression and kernel least squares, and the stronger one is the result: a weak
judge flatters. (A convolutional network on log-mel pictures fell far behind both, at 30 times their cost: telling two
SoundFonts apart on 68 stems, 0.74 to 0.86 against 0.88 and 0.95.)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.fft
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import rankdata

from musicgen_ui.audio.spectral import magnitudes, mel_filters
from musicgen_ui.audio.waveform import SAMPLE_RATE

N_FFT = 2048
HOP = 512
MELS = 64
FRAMES = SAMPLE_RATE // HOP
"""Frames in a window: one second."""

RANGE_DB = 80.0
SILENT_DB = 45.0
"""A window this far below the stem's loudest is not judged."""

FOLDS = 4
RESAMPLES = 500

_BROAD = 8
_MODULATION_EDGES_HZ = (1.0, 2.0, 4.0, 8.0, 16.0, 43.0)


def audible(samples: np.ndarray) -> np.ndarray:
    """Numbers of the whole windows of (n,) samples in which something sounds."""
    whole = samples[: samples.size // (FRAMES * HOP) * FRAMES * HOP].reshape(-1, FRAMES * HOP)
    rms = np.sqrt(np.square(whole, dtype=np.float64).mean(axis=1))
    return np.flatnonzero(rms > max(float(rms.max(initial=0.0)) * 10.0 ** (-SILENT_DB / 20), 1e-9))


def quantised(samples: np.ndarray) -> np.ndarray:
    """Samples rounded to 16 bits of their own peak, as references are stored."""
    scale = max(float(np.abs(samples).max(initial=0.0)), 1e-9) / 32_767
    return (np.round(samples / scale) * scale).astype(np.float32)


def windows(samples: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Describes the windows of those numbers by mel means, deviations and changes, MFCC, flatness and modulation.

    Args:
        samples: (n,) at 44.1 kHz, at whatever level.
        which: numbers of windows, as from :func:`audible`, at least one.

    Returns:
        (windows, F) float32.
    """
    magnitude = magnitudes(quantised(samples), n_fft=N_FFT, hop=HOP)
    power = np.square(magnitude)
    decibels = _decibels(mel_filters(SAMPLE_RATE, N_FFT, MELS) @ power)
    cepstrum = scipy.fft.dct(decibels, axis=0, type=2, norm="ortho")[:20]
    flatness = _flatness(power)
    features = []
    for number in which:
        span = slice(number * FRAMES, (number + 1) * FRAMES)
        mel, ceps, flat = decibels[:, span], cepstrum[:, span], flatness[:, span]
        change = np.diff(mel, axis=1)
        features.append(
            np.concatenate(
                (
                    *(mel.mean(1), mel.std(1), change.std(1), np.abs(change).mean(1)),
                    *(ceps.mean(1), ceps.std(1), flat.mean(1), flat.std(1), _modulation(mel)),
                )
            )
        )
    return np.stack(features).astype(np.float32)


def _decibels(power: np.ndarray) -> np.ndarray:
    peak = max(float(power.max(initial=0.0)), 1e-12)
    return 10.0 * np.log10(np.maximum(power / peak, 10.0 ** (-RANGE_DB / 10)))


def _flatness(power: np.ndarray) -> np.ndarray:
    """(8, frames): how noisy each broad band is, geometric over arithmetic mean in dB; between partials it shows."""
    edges = np.geomspace(4, power.shape[0], _BROAD + 1).astype(int)
    floor = max(float(power.max(initial=0.0)), 1e-12) * 1e-10
    bands = [np.maximum(power[a:b], floor) for a, b in pairwise(edges)]
    return np.stack([10.0 * (np.log10(b).mean(axis=0) - np.log10(b.mean(axis=0))) for b in bands])


def _modulation(mel: np.ndarray) -> np.ndarray:
    """(40,): log energy of eight bands' level changes at 1 to 43 Hz, in five octaves."""
    level = mel.reshape(_BROAD, -1, mel.shape[1]).mean(axis=1)
    spectrum = np.square(np.abs(np.fft.rfft(level - level.mean(axis=1, keepdims=True), axis=1)))
    hz = np.arange(spectrum.shape[1]) * SAMPLE_RATE / HOP / FRAMES
    octave = np.digitize(hz, _MODULATION_EDGES_HZ)
    return np.concatenate([np.log(spectrum[:, octave == k].mean(axis=1) + 1.0) for k in range(1, 6)])


Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(training windows (n, F), their labels 0 or 1 (n,), test windows (m, F)) to a score of each test window (m,)."""


def _standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 1e-3
    return tuple(np.clip((x - mean) / deviation, -6.0, 6.0).astype(np.float64) for x in (train, test))


def logistic(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Logistic regression with a Gaussian prior."""
    x, y = _standardised(train, test)
    sign = 2.0 * labels - 1.0

    def loss(weight: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (x @ weight[1:] + weight[0])
        pull = -sign * expit(-margin)
        prior = 5.0 * weight[1:]
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * (prior * weight[1:]).sum()
        return float(value), np.concatenate([[pull.sum()], x.T @ pull + prior])

    weight = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return y @ weight[1:] + weight[0]


def kernel(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Least squares with a Gaussian kernel of the width of the median distance."""
    x, y = _standardised(train, test)
    square = cdist(x, x, "sqeuclidean")
    gamma = 1.0 / max(float(np.median(square)), 1e-9)
    gram = np.exp(-gamma * square) + 0.1 * np.eye(len(x))
    weight = np.linalg.solve(gram, 2.0 * labels - 1.0)
    return np.exp(-gamma * cdist(y, x, "sqeuclidean")) @ weight


CLASSIFIERS: dict[str, Classifier] = {"logistic regression": logistic, "kernel": kernel}


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve of (n,) scores: the chance that a generated window scores above a real one."""
    positive = labels > 0
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * m))


def tell_apart(
    real: Sequence[np.ndarray],
    generated: Sequence[np.ndarray],
    groups: Sequence[Hashable],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Cross-validated AUC of each classifier.

    Args:
        real: windows of each SoundFont stem.
        generated: windows of the generated stem of the same notes.
        groups: what a stem belongs to, as its preset and passage; a group is never in training and test at once.
        seed: of folds and bootstrap.

    Returns:
        ``auc`` of the strongest classifier, its name as ``classifier``, ``interval``: 95 % by resampling groups,
        ``stems auc``: of the mean score of each stem, ``all``: AUC of every classifier, ``windows``: how many.

    Raises:
        ValueError: fewer than two groups.
    """
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise ValueError("telling apart needs two groups of stems or more")
    sides = [
        (w, label, names.index(g), number)
        for label, side in enumerate((real, generated))
        for number, (w, g) in enumerate(zip(side, groups, strict=True))
    ]
    data = np.concatenate([side[0] for side in sides])
    labels, group, stem = (np.concatenate([np.full(len(side[0]), side[k]) for side in sides]) for k in (1, 2, 3))
    rng = np.random.default_rng(seed)
    fold = (rng.permutation(len(names)) % min(FOLDS, len(names)))[group]
    found = {name: _out_of_fold(judge, data, labels, fold) for name, judge in CLASSIFIERS.items()}
    areas = {name: auc(scores, labels) for name, scores in found.items()}
    best = max(areas, key=lambda name: areas[name])
    scores = found[best]
    resampled = [_resampled(rng, group, len(names)) for _ in range(RESAMPLES)]
    low, high = np.percentile([auc(scores[rows], labels[rows]) for rows in resampled], (2.5, 97.5))
    key = 2 * stem + labels
    means = np.bincount(key, scores) / np.maximum(np.bincount(key), 1)
    kinds = np.unique(key)
    return {
        "auc": areas[best],
        "classifier": best,
        "interval": [float(low), float(high)],
        "stems auc": auc(means[kinds], kinds % 2),
        "all": areas,
        "windows": len(labels),
    }


def _out_of_fold(judge: Classifier, data: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Score of each window from the classifier that has not seen its fold, as a share of that fold's ranks."""
    scores = np.zeros(len(labels))
    for number in np.unique(fold):
        test = fold == number
        found = judge(data[~test], labels[~test], data[test])
        scores[test] = rankdata(found) / test.sum()
    return scores


def _resampled(rng: np.random.Generator, group: np.ndarray, count: int) -> np.ndarray:
    """Rows of as many groups drawn with replacement."""
    rows = [np.flatnonzero(group == g) for g in range(count)]
    return np.concatenate([rows[g] for g in rng.integers(count, size=count)])


def random_halves(stems: Sequence[np.ndarray], seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Each stem's windows, two or more, dealt at random to two sides: what nobody can tell apart."""
    rng = np.random.default_rng(seed)
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for stem in stems:
        order = rng.permutation(len(stem))
        for side, which in zip(sides, (order[::2], order[1::2]), strict=True):
            side.append(stem[np.sort(which)])
    return sides
