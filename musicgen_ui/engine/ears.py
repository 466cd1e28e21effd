"""The studio's ears: the Listener with its scales and the genre classifier, loaded once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.audio.genre import GENRE_WEIGHTS, GenreClassifier, load_genre
from musicgen_ui.audio.genre_features import SAMPLE_RATE, timbre_features
from musicgen_ui.audio.likeness import Fingerprint
from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.waveform import resample
from musicgen_ui.engine.listen import Heard, Hook, listen
from musicgen_ui.engine.match import Matched, match
from musicgen_ui.scale import Scales, load_scales


class Ears:
    """What is heard of samples.

    Args:
        scales: what 0 to 1 means on each slider.
        classifier: of genres, parts and metre.
    """

    def __init__(self, scales: Scales, classifier: GenreClassifier) -> None:
        self.scales = scales
        self.classifier = classifier

    @classmethod
    def load(cls, folder: Path, classifier: Path | None = None) -> Ears:
        """Reads them from a folder of checkpoints; ``classifier`` may lie elsewhere.

        Raises:
            RequestError: a file is missing or damaged.
        """
        return cls(load_scales(folder / "measures.json"), load_genre(classifier or folder / GENRE_WEIGHTS.name))

    def listen(self, samples: np.ndarray, sample_rate: int, *, hook: Hook | None = None) -> Heard:
        """All that is heard of samples (channels, n); see :func:`musicgen_ui.engine.listen.listen`."""
        return listen(samples, sample_rate, self.scales, classifier=self.classifier, hook=hook)

    def values(self, samples: np.ndarray, sample_rate: int, *, hook: Hook | None = None) -> dict[str, Any]:
        """Every slider, ``key`` and ``genre``, and ``genres`` with the probability of each."""
        heard = self.listen(samples, sample_rate, hook=hook)
        return {**heard.values, "genres": {} if heard.impression is None else dict(heard.impression.genres)}

    def match(self, samples: np.ndarray, sample_rate: int, argument: str = "recording") -> Matched:
        """The style of a recording: :func:`musicgen_ui.engine.match.match`.

        Raises:
            RequestError: names ``argument``: the recording is silent or too short to be judged.
        """
        return match(samples, sample_rate, self.listen, argument=argument)

    def genres(self, samples: np.ndarray, sample_rate: int) -> Mapping[str, float]:
        """Probability of every genre; empty where there is no beat."""
        impression = self.listen(samples, sample_rate).impression
        return {} if impression is None else impression.genres

    def fingerprint(self, samples: np.ndarray, sample_rate: int) -> Fingerprint:
        """All that is compared when clips are asked how much alike they are."""
        heard = self.listen(samples, sample_rate)
        genres, band = {}, {}
        if heard.impression is not None:
            genres, band = heard.impression.genres, {**heard.impression.parts, "waltz": heard.impression.waltz}
        timbre = timbre_features(mono(resample(np.atleast_2d(samples), sample_rate, SAMPLE_RATE)))
        return Fingerprint(heard.values, genres, band, timbre)
