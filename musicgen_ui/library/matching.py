"""Finding clips that are like a fragment: a coarse search over a person's clips, then the best ones in detail."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from musicgen_ui.audio.template import Template, from_bytes, to_bytes
from musicgen_ui.audio.template_coarse import COARSE_FRAMES, COARSE_RATE, coarse_bytes, coarse_frames, coarse_table
from musicgen_ui.audio.template_match import Found, compare, compare_hummed, near
from musicgen_ui.audio.tune import in_tune
from musicgen_ui.errors import RequestError
from musicgen_ui.library.index import Candidate, CoarseIndex

COARSE, FINE = "coarse1", "fine1"
"""Kinds of the fingerprints; a release that changes the features counts up, and every clip is heard again."""

PLAYED = {0.93: 1.0, 1.0: 1.0, 1.07: 1.0, 0.5: 0.8, 2.0: 0.8}
"""Tempi at which a recorded fragment is looked for, and what a likeness counts there."""

HUMMED = {0.8: 1.0, 0.9: 1.0, 1.0: 1.0, 1.1: 1.0, 1.22: 1.0, 0.5: 0.8, 2.0: 0.8}
"""The same for a hummed one: few people hum at the tempo of a record."""

CANDIDATES = 24
"""Clips that are looked at in detail."""

MIN_SECONDS, MAX_SECONDS = 2.0, 15.0
"""Shortest fragment, and the longest that is looked for as one; of a longer one three passages are."""

PASSAGE_SECONDS = 12.0
PEOPLE = 8
"""People whose index is kept in memory; it takes 5 KB a clip."""


class Fingerprints(Protocol):
    """Where fingerprints are kept; :class:`musicgen_ui.library.fingerprints.Fingerprints` is one."""

    def put(self, clip: str, kind: str, data: bytes) -> None: ...

    def get(self, clips: Sequence[str], kind: str) -> dict[str, bytes]: ...

    def each(self, person: str, kind: str) -> Iterator[tuple[str, bytes]]: ...

    def missing(self, person: str, kind: str) -> list[str]: ...


@dataclass(frozen=True)
class Match:
    """A clip, and the part of it that is like a fragment.

    Attributes:
        clip: id.
        begin: seconds. end: seconds.
        score: 0 (as like as strangers are) to 1.
        why: melody, harmony, rhythm and colour to their own scores.
        semitones: how much higher than the fragment the clip is, -5 to 6.
        tempo: the clip's tempo over the fragment's.
    """

    clip: str
    begin: float
    end: float
    score: float
    why: dict[str, float]
    semitones: int
    tempo: float


class _Shelves:
    """One person's coarse indexes: of the harmony, and of the tunes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.harmony = CoarseIndex(COARSE_FRAMES)
        self.melody = CoarseIndex(COARSE_FRAMES)

    def fill(self, clips: Sequence[tuple[str, bytes]]) -> None:
        """Add clips by the bytes of their coarse frames."""
        if not clips:
            return
        frames, ends = coarse_table([data for _, data in clips])
        starts = [0, *ends[:-1]]
        for index, columns in ((self.harmony, slice(0, 12)), (self.melody, slice(12, 24))):
            index.extend((clip, frames[a:b, columns]) for (clip, _), a, b in zip(clips, starts, ends, strict=True))

    def remove(self, clip: str) -> None:
        self.harmony.remove(clip)
        self.melody.remove(clip)


class Matcher:
    """Search over the clips of one person at a time; threads may share it.

    Args:
        fingerprints: where templates are kept.
    """

    def __init__(self, fingerprints: Fingerprints) -> None:
        self._fingerprints = fingerprints
        self._lock = threading.Lock()
        self._people: OrderedDict[str, _Shelves] = OrderedDict()

    def put(self, person: str, clip: str, template: Template) -> None:
        """Keep a clip's template, and let the person find it from now on."""
        data = coarse_bytes(template)
        # The coarse one last: a clip that has it is complete.
        self._fingerprints.put(clip, FINE, to_bytes(template))
        self._fingerprints.put(clip, COARSE, data)
        with self._lock:
            shelves = self._people.get(person)
        if shelves is not None:
            with shelves.lock:
                shelves.fill([(clip, data)])

    def remove(self, person: str, clip: str) -> None:
        """Let nobody find a clip any more; its template goes with its row."""
        with self._lock:
            shelves = self._people.get(person)
        if shelves is not None:
            with shelves.lock:
                shelves.remove(clip)

    def forget(self, person: str) -> None:
        """Drop what is held in memory for a person, as after an import, a restore or a farewell."""
        with self._lock:
            self._people.pop(person, None)

    def ready(self, person: str) -> int:
        """Read a person's index before it is needed; how many clips it holds."""
        return len(self._of(person).harmony)

    def missing(self, person: str) -> list[str]:
        """Clips of a person that cannot be found yet, the newest first."""
        return self._fingerprints.missing(person, COARSE)

    def template(self, clip: str) -> Template | None:
        """What is kept of a clip; None where it was not heard yet."""
        data = self._fingerprints.get([clip], FINE).get(clip)
        return None if data is None else from_bytes(data)

    def find(
        self, person: str, fragment: Template, *, hummed: bool = False, count: int = 10, without: Sequence[str] = ()
    ) -> list[Match]:
        """The person's clips that are most like a fragment, best first.

        Args:
            person: key of the person; nobody else's clips are looked at.
            fragment: what is looked for.
            hummed: look for its melody only, in any octave, against the clips' tunes.
            count: at most so many clips.
            without: clips to leave out.

        Raises:
            RequestError: the fragment is too short, or nothing in it can be told.
        """
        if fragment.seconds < MIN_SECONDS:
            raise RequestError("fragment", f"is too short: at least {MIN_SECONDS:g} seconds are needed")
        if hummed:
            fragment = replace(fragment, melody=in_tune(fragment.melody))
        if not (fragment.melody if hummed else fragment.harmony).any():
            raise RequestError("fragment", "holds no tune that can be heard" if hummed else "holds no notes to go by")
        shelves = self._of(person)
        best: dict[str, Match] = {}
        for passage in passages(fragment):
            for match in self._passage(shelves, passage, hummed, count + len(without)):
                if match.clip not in without and (match.clip not in best or match.score > best[match.clip].score):
                    best[match.clip] = match
        return sorted(best.values(), key=lambda match: -match.score)[:count]

    def _passage(self, shelves: _Shelves, passage: Template, hummed: bool, count: int) -> Iterator[Match]:
        columns = slice(12, 24) if hummed else slice(0, 12)
        wanted = coarse_frames(passage)[:, columns]
        with shelves.lock:
            index = shelves.melody if hummed else shelves.harmony
            found = index.search(wanted, HUMMED if hummed else PLAYED, max(CANDIDATES, count))
        templates = self._fingerprints.get([candidate.id for candidate in found], FINE)
        for candidate in found:
            if candidate.id in templates:
                match = matched(passage, from_bytes(templates[candidate.id]), candidate, hummed=hummed)
                if match is not None:
                    yield match

    def _of(self, person: str) -> _Shelves:
        """The person's indexes, read from the database where they are not in memory."""
        with self._lock:
            shelves = self._people.get(person)
            if shelves is None:
                shelves = self._people[person] = _Shelves()
                shelves.lock.acquire()
                new = True
            else:
                new = False
            self._people.move_to_end(person)
            while len(self._people) > PEOPLE:
                self._people.popitem(last=False)
        if new:
            try:
                shelves.fill(list(self._fingerprints.each(person, COARSE)))
            except BaseException:
                self.forget(person)
                raise
            finally:
                shelves.lock.release()
        return shelves


def matched(passage: Template, clip: Template, candidate: Candidate, *, hummed: bool) -> Match | None:
    """What the fine stage makes of a candidate; None where the clip is too short."""
    part, offset = near(clip, candidate.frame / COARSE_RATE, passage.seconds * candidate.scale)
    found: Found | None = (compare_hummed if hummed else compare)(passage, part, candidate.shift, candidate.scale)
    if found is None:
        return None
    return Match(
        candidate.id,
        round(found.begin + offset, 2),
        round(found.end + offset, 2),
        found.score,
        found.why,
        (candidate.shift + 5) % 12 - 5,
        round(passage.seconds / max(found.end - found.begin, 1e-3), 3),
    )


def passages(fragment: Template) -> list[Template]:
    """The fragment, or the begin, middle and end of a long one."""
    if fragment.seconds <= MAX_SECONDS:
        return [fragment]
    starts = np.linspace(0.0, fragment.seconds - PASSAGE_SECONDS, 3)
    return [fragment.part(start, start + PASSAGE_SECONDS) for start in starts]
