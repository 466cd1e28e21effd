"""The coarse index: every passage of every clip as a few chroma frames, searched at once by a matrix product.

All frames of all clips lie end to end in one matrix. A fragment is turned into every key and stretched to a few tempi;
each of these is one vector, each place of the library another, and the product of the two matrices finds the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

OVERHANG = 4
"""Silent frames behind each clip: a fragment may hang over its end by so many."""

_BLOCK = 1024  # places at a time, so that a block stays in the processor's cache
_WASTE = 0.3  # share of removed frames from which on they are swept up


@dataclass(frozen=True)
class Candidate:
    """A place that a fragment may come from.

    Attributes:
        id: of the clip. score: correlation, at most 1.
        frame: of the clip, where the fragment's first frame falls.
        shift: semitones that the fragment must go up. scale: how much longer it is in the clip.
        window: first frame of the fragment's window that was found there.
    """

    id: str
    score: float
    frame: int
    shift: int
    scale: float
    window: int


class CoarseIndex:
    """Clips that can be searched; adding one costs its own frames only.

    Args:
        width: longest fragment in frames; a longer one is cut to its middle.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._frames = np.zeros((1024, 12), dtype=np.float32)
        self._used = 0
        self._removed = 0
        self._start: dict[str, tuple[int, int]] = {}
        self._order: tuple[np.ndarray, list[str]] | None = None

    def __len__(self) -> int:
        return len(self._start)

    def __contains__(self, clip: str) -> bool:
        return clip in self._start

    def add(self, clip: str, frames: np.ndarray) -> None:
        """Add a clip, in place of one of the same id.

        Args:
            clip: its id.
            frames: (n, 12) of length 1 each (``audio.template_coarse``), zeros where nothing sounds.
        """
        self.extend([(clip, frames)])

    def extend(self, clips: Iterable[tuple[str, np.ndarray]]) -> None:
        """Add many clips."""
        clips = [(clip, np.asarray(frames, dtype=np.float32)) for clip, frames in clips if len(frames)]
        self._reserve(self._used + sum(len(frames) + OVERHANG for _, frames in clips))
        for clip, frames in clips:
            self.remove(clip)
            end = self._used + len(frames)
            self._frames[self._used : end] = frames
            self._start[clip] = (self._used, len(frames))
            self._used = end + OVERHANG
        self._order = None

    def remove(self, clip: str) -> None:
        """Forget a clip; nothing happens where it is not there."""
        if clip not in self._start:
            return
        start, length = self._start.pop(clip)
        self._frames[start : start + length] = 0.0
        self._removed += length + OVERHANG
        self._order = None
        if self._removed > _WASTE * self._used and self._removed > 4096:
            self._sweep()

    def search(
        self, fragment: np.ndarray, scales: Mapping[float, float], count: int, *, windows: int = 1
    ) -> list[Candidate]:
        """The clips that hold what is most like a fragment, best first, each with its best place.

        Args:
            fragment: (n, 12) likewise.
            scales: tempi to try, and what a correlation counts there: 1.1 looks for the fragment played a tenth slower.
            count: how many clips.
            windows: parts of the fragment that are looked for, each alone; at tempi that count less only its middle.
        """
        if not self._start or not len(fragment):
            return []
        turns = _turned(fragment, scales, self.width, windows)
        width = max(turn.length for turn in turns)
        wanted = np.stack([np.pad(turn.vector, (0, 12 * (width - turn.length))) for turn in turns])
        lengths = np.array([turn.length for turn in turns])
        wanted *= np.array([[turn.weight] for turn in turns], dtype=np.float32)
        best = self._best(wanted, lengths)
        starts, ids = self._ordered()
        self._forbid(best, starts, ids, width)
        score = np.maximum.reduceat(best, starts)
        chosen = np.argsort(-score, kind="stable")[:count]
        found = []
        for number in chosen:
            first, length = self._start[ids[number]]
            place = first + int(best[first : first + length + OVERHANG].argmax())
            product = wanted @ self._frames[place : place + width].reshape(-1)
            turn = turns[int((product * np.sqrt(lengths)).argmax())]
            window = round(turn.cut / turn.scale)
            frame = place - first - turn.cut
            found.append(Candidate(ids[number], float(score[number]), frame, turn.shift, turn.scale, window))
        return found

    def _best(self, wanted: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """(places,) best correlation of each place with any of the vectors.

        A short fragment is like many a place by chance, so that its correlations count less.

        Args:
            wanted: (vectors, width * 12), as long as they count, silent behind their ends.
            lengths: (vectors,) frames of each, in rising order.
        """
        width = wanted.shape[1] // 12
        places = self._used
        frames = self._frames[: places + width]
        windows = np.lib.stride_tricks.sliding_window_view(frames.reshape(-1), width * 12)[::12]
        energy = np.concatenate([[0.0], np.cumsum(np.square(frames).sum(axis=1), dtype=np.float64)])
        groups = [(n, np.flatnonzero(lengths == n)) for n in sorted(set(lengths.tolist()))]
        factor = [
            np.sqrt(n / width / np.maximum(energy[n : places + n] - energy[:places], 0.5 * n)).astype(np.float32)
            for n, _ in groups
        ]
        best = np.empty(places, dtype=np.float32)
        for begin in range(0, places, _BLOCK):
            end = min(begin + _BLOCK, places)
            product = wanted @ np.ascontiguousarray(windows[begin:end]).T
            of_groups = [product[rows[0] : rows[-1] + 1].max(axis=0) for _, rows in groups]
            np.max([x * f[begin:end] for x, f in zip(of_groups, factor, strict=True)], axis=0, out=best[begin:end])
        return best

    def _forbid(self, best: np.ndarray, starts: np.ndarray, ids: list[str], width: int) -> None:
        """Takes out, in place, where a window would reach into the next clip; each clip keeps its first place."""
        lengths = np.array([self._start[clip][1] for clip in ids])
        last = starts + np.maximum(lengths + OVERHANG - width, 0)
        edges = np.zeros(len(best) + 1, dtype=np.int8)
        edges[starts] += 1
        edges[last + 1] -= 1
        best[np.cumsum(edges[:-1], dtype=np.int8) == 0] = -1.0

    def _ordered(self) -> tuple[np.ndarray, list[str]]:
        """First place of each clip in rising order, and their ids."""
        if self._order is None:
            ids = sorted(self._start, key=lambda clip: self._start[clip][0])
            self._order = (np.array([self._start[clip][0] for clip in ids]), ids)
        return self._order

    def _reserve(self, frames: int) -> None:
        """Room for so many frames and the widest window behind them."""
        needed = frames + self.width + 1
        if needed > len(self._frames):
            larger = np.zeros((max(needed, 3 * len(self._frames) // 2), 12), dtype=np.float32)
            larger[: self._used] = self._frames[: self._used]
            self._frames = larger

    def _sweep(self) -> None:
        """Close the gaps that removed clips have left."""
        kept = [(clip, self._frames[a : a + n].copy()) for clip, (a, n) in self._start.items()]
        self._frames[: self._used] = 0.0
        self._start, self._used, self._removed = {}, 0, 0
        self.extend(kept)


def slower(frames: np.ndarray, scale: float) -> np.ndarray:
    """(..., n) played ``scale`` times as long, interpolated."""
    n = frames.shape[-1]
    length = max(1, round(n * scale))
    at = np.clip((np.arange(length) + 0.5) / scale - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    share = (at - low).astype(frames.dtype)
    return frames[..., low] * (1 - share) + frames[..., np.minimum(low + 1, n - 1)] * share


@dataclass(frozen=True)
class _Turn:
    """A fragment in one key at one tempo: (length * 12,) of length 1, ``cut`` frames taken off before it."""

    vector: np.ndarray
    shift: int
    scale: float
    weight: float
    length: int
    cut: int


def _turned(fragment: np.ndarray, scales: Mapping[float, float], width: int, windows: int) -> list[_Turn]:
    """Windows of a fragment in every key and tempo, those of one length side by side; one alone is its middle."""
    turns = []
    for scale, weight in scales.items():
        chroma = slower(fragment.T, scale)
        length = min(width, chroma.shape[1])
        room = chroma.shape[1] - length
        parts = windows if weight >= 1.0 else 1
        cuts = {round(room * (number + 0.5) / parts) for number in range(parts)}
        for cut in sorted(cuts):
            kept = _unit(chroma[:, cut : cut + length])
            norm = max(float(np.linalg.norm(kept)), 1e-9)
            for shift in range(12):
                vector = (np.roll(kept, shift, axis=1) / norm).reshape(-1).astype(np.float32)
                turns.append(_Turn(vector, shift, scale, weight, length, cut))
    return sorted(turns, key=lambda turn: turn.length)


def _unit(chroma: np.ndarray) -> np.ndarray:
    """(12, n) interpolated frames → (n, 12) of length 1 again."""
    length = np.linalg.norm(chroma, axis=0)
    return np.where(length > 1e-3, chroma / np.maximum(length, 1e-9), 0.0).T
