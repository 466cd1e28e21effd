"""Makes clips findable: hears each one once, on a thread of its own, and keeps what searching needs."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import numpy as np

from musicgen_ui.audio.alignment import align
from musicgen_ui.audio.template import Template, template
from musicgen_ui.audio.tune import score_tune
from musicgen_ui.audio.waveform import read_audio
from musicgen_ui.errors import RequestError
from musicgen_ui.library.matching import Matcher
from musicgen_ui.library.novelty import shipped_index
from musicgen_ui.music.score import Score
from musicgen_ui.music.score_json import score_from_dict

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

LOG = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a search waits for clips that were not heard yet."""

SOUND, SCORE = "clip.wav", "score.json"


class Hearing:
    """What finds similar clips, and what hears new ones.

    Args:
        services: the library and the shelf.

    Attributes:
        matcher: the search itself.
    """

    def __init__(self, services: Services) -> None:
        self.matcher = Matcher(services.library.fingerprints)
        self._shelf = services.shelf
        self._lock = threading.Lock()
        self._waiting: dict[str, Future] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="musicgen-hearing")

    def index_clip(
        self, person: str, clip: str, samples: np.ndarray, sample_rate: int, score: Score | None = None
    ) -> Future:
        """Let a person find a clip, as soon as it has been heard; returns at once.

        Args:
            person: key of the person.
            clip: id of a clip that is in the library.
            samples: (channels, n) float; nobody may write to it any more.
            sample_rate: in Hz.
            score: its notes, whose lead is the tune that somebody may hum; without it the tune is heard.
        """
        return self._soon(person, clip, lambda: heard(samples, sample_rate, score))

    def catch_up(self, person: str, seconds: float = PATIENCE) -> int:
        """Hear what the person's library holds unheard.

        Args:
            person: key of the person.
            seconds: how long to wait for it; the rest goes on behind.

        Returns:
            Clips that cannot be found yet. Those whose sound is gone stay among them until it is made again.
        """
        missing = self.matcher.missing(person)
        here = [clip for clip in missing if self._shelf.file(clip, SOUND) is not None]
        jobs = [self._soon(person, clip, lambda clip=clip: self._from_shelf(clip)) for clip in here]
        done, _ = wait(jobs, timeout=seconds)
        return len(missing) - sum(job.exception() is None for job in done)

    def template(self, person: str, clip: str) -> Template:
        """What is kept of a clip, or what is heard of it now.

        Raises:
            RequestError: there is neither that nor its sound.
        """
        known = self.matcher.template(clip)
        if known is None:
            if self._shelf.file(clip, SOUND) is None:
                raise RequestError("clip", "its sound must be made again first: play it once")
            self._soon(person, clip, lambda: self._from_shelf(clip)).result()
            known = self.matcher.template(clip)
        if known is None:
            raise RequestError("clip", "was deleted a moment ago")
        return known

    def close(self) -> None:
        """Stop hearing; what waits is not heard."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _soon(self, person: str, clip: str, hear) -> Future:
        """Each clip once at a time, whoever asks."""

        def work() -> None:
            try:
                self.matcher.put(person, clip, hear())
            except Exception:
                LOG.exception("hearing a clip failed")
                raise
            finally:
                with self._lock:
                    self._waiting.pop(clip, None)

        with self._lock:
            if clip not in self._waiting:
                self._waiting[clip] = self._thread.submit(work)
            return self._waiting[clip]

    def _from_shelf(self, clip: str) -> Template:
        samples, rate = read_audio(self._shelf.file(clip, SOUND))
        path = self._shelf.file(clip, SCORE)
        score = None if path is None else score_from_dict(json.loads(path.read_text(encoding="utf-8")))
        return heard(samples, rate, score)


def heard(samples: np.ndarray, sample_rate: int, score: Score | None) -> Template:
    """The template of a clip; its tune is the score's lead where the score is known."""
    value = template(samples, sample_rate)
    if score is None or not score.pitched:
        return value
    return value.with_melody(score_tune(score, value.frames, np.shape(samples)[-1] / sample_rate))


def warm_up() -> threading.Thread:
    """Load and compile, on a thread, what the first search would wait for: some seconds where nothing is cached."""

    def work() -> None:
        shipped_index()
        align(np.ones((8, 16), np.float32))

    thread = threading.Thread(target=work, name="musicgen-warm-up", daemon=True)
    thread.start()
    return thread
