"""A clip that is heard while it is made: pieces of sound, each as soon as it can be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.device import one_thread
from musicgen_ui.engine.joined import Joined
from musicgen_ui.errors import Cancelled
from musicgen_ui.music.score import Score
from musicgen_ui.style import Style

FIRST_SECONDS = 1.8
"""Of music in the first piece, at least: short enough to be made at once, long enough until more is there."""

SPARE = 1.3
"""How much longer than expected the rest may take: a machine has other things to do, too."""

BESIDE = 2.5
"""The same of what is played beside composing: the two take turns."""


@dataclass(frozen=True)
class Piece:
    """Some of a clip's sound.

    Attributes:
        begin: its first sample within the clip, at 44.1 kHz; never after the end of what came before.
        samples: (2, n) float32; they take the place of what came before from ``begin`` on.
        last: whether the clip ends with it.
    """

    begin: int
    samples: np.ndarray
    last: bool = False


Sound = Callable[[Score, Style, Callable[[], None]], np.ndarray]
"""``sound(first bars, style, may_stop)`` gives (2, n) float32; ``may_stop`` is called often and may raise Cancelled."""


class Preview:
    """Makes the first bars heard, in a thread of its own, while the rest is written and played.

    It is a context: at its end the thread stops, at the latest at its next ``may_stop``.

    Args:
        out: hears the pieces, from more than one thread but never two at a time.
        sound: plays and mixes first bars.
        bars: of the finished clip.
        clock: seconds.
    """

    def __init__(
        self, out: Callable[[Piece], None], sound: Sound, bars: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._joined = Joined(lambda begin, samples, last: out(Piece(begin, samples, last)))
        self._sound, self._bars, self._clock = sound, bars, clock
        self._changed = threading.Condition()
        self._notes: tuple[Score, Style] | None = None
        self._notes_at = 0.0
        self._written_at: float | None = None
        self._played = 0
        self._busy = self._stopped = False
        self._error: BaseException | None = None
        self._cost = 0.0
        self._began, self._first_at = clock(), 0.0
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)

    def __enter__(self) -> Preview:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if error is None:
            self._raise()

    def written(self, score: Score, told: Style) -> None:
        """All notes are known; see :meth:`notes`."""
        with self._changed:
            self._written_at = self._clock()
        self.notes(score, told)

    def notes(self, score: Score, told: Style) -> None:
        """The clip's first bars are known, more of them than before.

        Where nothing is heard yet this waits until something is: two threads that work in Python take turns, so the
        first sound comes much earlier if nothing else is done meanwhile, and the rest hardly later.
        """
        with self._changed:
            self._notes, self._notes_at = (score, told), self._clock()
            self._changed.notify_all()
        while True:
            with self._changed:
                if self._joined.sent or self._error is not None:
                    return
                self._changed.wait(0.05)
            pause()

    def finish(self, samples: np.ndarray) -> None:
        """The finished clip (2, n): the rest of it follows what was heard."""
        self._stop()
        self._raise()
        self._joined.version(samples, last=True)

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self) -> None:
        try:
            with one_thread():
                while (task := self._next()) is not None:
                    self._play(*task)
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where the clip is made
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> tuple[Score, Style] | None:
        """The first bars to be played next, as soon as there are any; None for no more."""
        with self._changed:
            while not self._stopped:
                bars = self._wanted()
                if bars:
                    score, told = self._notes
                    return score if bars == score.bars else score.section(0, bars), told
                if self._written_at is not None:
                    return None
                self._changed.wait()
        return None

    def _wanted(self) -> int:
        """How many of the known bars are worth being played now, 0 for none."""
        if self._notes is None:
            return 0
        score = self._notes[0]
        bar = score.seconds / score.bars
        if not self._played:
            return min(score.bars, max(1, -int(-FIRST_SECONDS // bar)))
        if score.bars <= self._played or self._lasts() > self._expected(bar):
            return 0
        # Twice as much as before is soon made; more of it, if what is sounding lasts until then.
        ahead = self._lasts() - self._clock()
        longest = int(ahead / BESIDE / max(self._cost * bar, 1e-9))
        wanted = min(score.bars, max(3 * self._played, longest))
        # Once all is known, the finished clip is not much further away than most of it.
        wanted = wanted if self._written_at is None else min(wanted, self._bars // 2)
        return wanted if wanted > self._played else 0

    def _lasts(self) -> float:
        """Time at which what has been handed out will have been heard."""
        return self._first_at + self._joined.sent / SAMPLE_RATE

    def _expected(self, bar: float) -> float:
        """Time at which the finished clip may be there."""
        written = self._written_at
        if written is None:
            written = self._began + (self._notes_at - self._began) * self._bars / self._notes[0].bars
        return max(written, self._notes_at) + SPARE * self._cost * self._bars * bar

    def _play(self, score: Score, told: Style) -> None:
        began = self._clock()
        samples = self._sound(score, told, self._may_stop)
        with self._changed:
            now = self._clock()
            self._cost = (now - began) / score.seconds
            self._first_at = self._first_at or now
            self._played = score.bars
        self._may_stop()
        self._joined.version(samples)
        with self._changed:
            self._changed.notify_all()

    def _may_stop(self) -> None:
        if self._stopped:
            raise Cancelled
