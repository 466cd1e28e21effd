"""Fingerprints in memory, and clips that are nobody's: what ``evaluate similar`` fills a library of any size with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from musicgen_ui.audio.template import Template
from musicgen_ui.audio.template_match import stretched


class MemoryFingerprints:
    """One person's fingerprints, kept nowhere; see ``library.fingerprints``."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, bytes]] = {}

    def put(self, clip: str, kind: str, data: bytes) -> None:
        self._kinds.setdefault(kind, {})[clip] = data

    def get(self, clips: Sequence[str], kind: str) -> dict[str, bytes]:
        known = self._kinds.get(kind, {})
        return {clip: known[clip] for clip in clips if clip in known}

    def each(self, person: str, kind: str) -> Iterator[tuple[str, bytes]]:
        yield from list(self._kinds.get(kind, {}).items())

    def missing(self, person: str, kind: str) -> list[str]:
        return []


def distractor(templates: Sequence[Template], rng: np.random.Generator, *, seconds: float = 30.0) -> Template:
    """A clip that sounds like the others and is none of them: passages of 2 to 5 s of several real clips.

    Each passage is moved to a key of its own and played up to a quarter faster or slower, so that chroma, colour and
    attacks are those of real renderings while no passage of 8 s is any clip's.
    """
    parts: list[Template] = []
    while sum(part.seconds for part in parts) < seconds:
        source = templates[int(rng.integers(len(templates)))]
        begin = float(rng.uniform(0.0, max(0.1, source.seconds - 5.0)))
        part = stretched(source.part(begin, begin + float(rng.uniform(2.0, 5.0))), float(rng.uniform(0.75, 1.25)))
        shift = int(rng.integers(12))
        tune = np.where(part.melody > 0, part.melody + shift, 0.0)
        parts.append(Template(np.roll(part.harmony, shift, axis=0), part.colour, part.attacks, tune))
    rows = [[getattr(part, name) for part in parts] for name in ("harmony", "colour", "attacks", "melody")]
    return Template(*(np.concatenate(row, axis=-1) for row in rows))
