"""Converting many sources at once, so that no bad file stops the run: not by an error, a hang or a crash."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from musicgen_ui.data.convert import convert
from musicgen_ui.data.pieces import score_arrays
from musicgen_ui.data.songs import content_hash, tune_hash
from musicgen_ui.data.sources import Skipped, Source
from musicgen_ui.music.score import PARTS

SECONDS_PER_SOURCE = 60
_CHUNK = 8


@dataclass(frozen=True)
class Converted:
    """What became of one source.

    Attributes:
        source_id: its id.
        rows: a JSON object for each piece.
        arrays: notes and chords of each piece, see ``pieces.score_arrays``.
        reason: why there is no piece, or None.
    """

    source_id: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    arrays: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    reason: str | None = None


Work = Callable[[Source], Converted]


def convert_source(source: Source) -> Converted:
    """Converts one source; whatever goes wrong with it becomes its reason."""
    try:
        with _time_limit(SECONDS_PER_SOURCE):
            scores = convert(source)
    except Skipped as reason:
        return Converted(source.id, reason=str(reason))
    except TimeoutError:
        return Converted(source.id, reason="takes too long to read")
    except Exception as error:  # noqa: BLE001 - a corpus file may break any assumption; it is counted, never hidden
        return Converted(source.id, reason=f"breaks the reader ({type(error).__name__})")
    rows, arrays = [], []
    for number, score in enumerate(scores):
        notes, chords = score_arrays(score)
        arrays.append((notes, chords))
        rows.append(
            {
                "id": source.id if number == 0 else f"{source.id}#{number + 1}",
                "title": source.title,
                "group": source.group,
                "licence": source.licence,
                "genre": dict(source.genre),
                "tempo": score.tempo,
                "tempo_known": source.tempo_known,
                "metre": score.metre,
                "bars": score.bars,
                "key": score.key,
                "parts": [p for p in PARTS if p in score.parts],
                "programs": dict(score.programs),
                "notes": len(notes),
                "chords": len(chords),
                "content": content_hash(score),
                "tune": tune_hash(score),
            }
        )
    return Converted(source.id, rows, arrays)


def convert_all(sources: Iterable[Source], workers: int, work: Work = convert_source) -> Iterator[Converted]:
    """Converts sources on ``workers`` processes, in any order; 1 or none stays in this process."""
    if workers <= 1:
        yield from map(work, sources)
        return
    waiting = iter(sources)
    while True:
        lost: list[list[Source]] = []
        with _pool(workers) as pool:
            running: dict[Future, list[Source]] = {}
            while True:
                while not lost and len(running) < 2 * workers and (chunk := list(islice(waiting, _CHUNK))):
                    try:
                        running[pool.submit(_convert_chunk, work, chunk)] = chunk
                    except BrokenProcessPool:
                        lost.append(chunk)
                if not running:
                    break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk = running.pop(future)
                    try:
                        yield from future.result()
                    except BrokenProcessPool:
                        lost.append(chunk)
        if not lost:
            return
        yield from _one_by_one(work, [source for chunk in lost for source in chunk])


def _convert_chunk(work: Work, chunk: list[Source]) -> list[Converted]:
    return [work(source) for source in chunk]


def _one_by_one(work: Work, sources: list[Source]) -> Iterator[Converted]:
    """A parser died on one of these: a single process takes them in turn, so that it is known which."""
    at = 0
    while at < len(sources):
        with _pool(1) as pool:
            try:
                while at < len(sources):
                    yield pool.submit(work, sources[at]).result()
                    at += 1
            except BrokenProcessPool:
                yield Converted(sources[at].id, reason="crashes the reader")
                at += 1


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raises TimeoutError after a while, where the system has alarms and this is the main thread."""

    def ring(signum: int, frame: object) -> None:
        raise TimeoutError

    try:
        previous = signal.signal(signal.SIGALRM, ring)
    except (AttributeError, ValueError):
        yield
        return
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
