"""Which pieces are the same: duplicates, and songs that several corpora share."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable

from musicgen_ui.music.score import PARTS, Score

SPLITS = ("train", "validation", "test")
TUNE_NOTES = 24


def content_hash(score: Score) -> str:
    """Hash of what is played, the same in every key: part, sixteenth and interval of each note, or a chart's chords."""
    rows: list[tuple[int, ...]] = []
    base = next((n.pitch for part in PARTS[:3] for n in score.notes(part)), 0)
    for number, part in enumerate(PARTS):
        shift = 0 if part == "drums" else base
        rows.extend((number, round(n.onset * 4), n.pitch - shift) for n in score.notes(part))
    if not rows and score.chords:
        root = score.chords[0].root
        rows = [
            (round(c.onset), round(c.duration), (c.root - root) % 12, sum(map(ord, c.quality))) for c in score.chords
        ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:24]


def tune_hash(score: Score) -> str | None:
    """Hash of how the melody begins: intervals and rhythm of its first notes; None for a short or missing melody."""
    lead = score.notes("lead")[:TUNE_NOTES]
    if len(lead) < TUNE_NOTES:
        return None
    rows = [(b.pitch - a.pitch, round((b.onset - a.onset) * 4)) for a, b in itertools.pairwise(lead)]
    if len({interval for interval, _ in rows}) < 4:
        return None
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:24]


def merged_groups(rows: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Groups that share a tune become one.

    Args:
        rows: (group, tune hash) of every piece.

    Returns:
        group to its representative, the smallest name of its set.
    """
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first: dict[str, str] = {}
    for group, tune in rows:
        root = find(group)
        if tune is not None:
            other = find(first.setdefault(tune, group))
            if other != root:
                parent[max(root, other)] = min(root, other)
    return {group: find(group) for group in parent}


def split_of(group: str) -> str:
    """``train`` for 90 of 100 groups, ``validation`` and ``test`` for 5 each, by hash of the name."""
    bucket = int(hashlib.sha256(group.encode("utf-8")).hexdigest()[:8], 16) % 20
    return SPLITS[1] if bucket == 0 else SPLITS[2] if bucket == 1 else SPLITS[0]
