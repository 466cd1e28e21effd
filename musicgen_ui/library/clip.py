"""A clip as the library knows it: a row with everything that makes, names and describes it, and no sound."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from musicgen_ui.errors import RequestError

ORIGINS = ("made", "take", "vary", "morph", "radio", "opened", "imported")
"""How a clip came to be."""

LIKED = (-1, 0, 1)
"""Disliked, neither, liked."""


class Missing(RequestError):  # noqa: N818 - a sentence, as every RequestError
    """What was asked for is not there, or belongs to somebody else: nobody can tell which."""


def new_id() -> str:
    """22 URL-safe characters that nobody can guess: who knows the id of a clip may hear it."""
    return secrets.token_urlsafe(16)


def checked_id(argument: str, value: Any) -> str:
    """An id as :func:`new_id` makes them, safe as the name of a folder.

    Raises:
        Missing: it is none.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{22}", value):
        raise Missing(argument, "there is no such thing here")
    return value


@dataclass(frozen=True)
class Clip:
    """What every page and program is told of a clip.

    Attributes:
        id: see :func:`new_id`.
        title: what the person calls it.
        made: when, in milliseconds since 1970, UTC; JSON has an ISO date.
        kept: whether it is in the library; else it is history.
        liked: one of LIKED.
        plays: how often it was played.
        skips: how often it was skipped.
        tags: words that the person gave it, in order of the alphabet.
        hash: SHA-256 of clip.wav.
        seconds: its length.
        tempo: beats per minute.
        key: such as ``F minor``; None where unknown.
        metre: such as ``4/4``.
        bars: its length in bars.
        genre: the one that it mostly is; None for none.
        recipe: what makes it again, as JSON value.
        code: the recipe as a code for a link.
        asked: slider to what was asked for, as in clip.json.
        heard: slider to what is heard, as in clip.json.
        parts: part to the name of its instrument.
        loop: whether it repeats without a seam.
        origin: one of ORIGINS.
        rebuilt_differs: whether it was made again and other bytes came out, by another release or other models.
        deleted: when it was deleted, in milliseconds; None while it was not.
    """

    id: str
    title: str
    made: int
    hash: str
    seconds: float
    tempo: float
    recipe: Mapping[str, Any]
    code: str
    key: str | None = None
    metre: str = "4/4"
    bars: int = 16
    genre: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    heard: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    loop: bool = False
    origin: str = "made"
    kept: bool = False
    liked: int = 0
    plays: int = 0
    skips: int = 0
    rebuilt_differs: bool = False
    deleted: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value: ClipInfo."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        deleted = None if self.deleted is None else iso(self.deleted)
        return values | {"made": iso(self.made), "deleted": deleted, "tags": list(self.tags)}


def iso(milliseconds: int) -> str:
    """``2026-11-23T00:30:00.000Z``: what JSON holds of a time."""
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def milliseconds(argument: str, text: Any) -> int:
    """Inverse of :func:`iso`; seconds without a fraction will do.

    Raises:
        RequestError: it is no such date.
    """
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{3}))?Z", text) if isinstance(text, str) else None
    try:
        if match and text.isascii():
            moment = datetime.strptime(f"{match[1]}+0000", "%Y-%m-%dT%H:%M:%S%z")
            return 1000 * int(moment.timestamp()) + int(match[2] or 0)
    except (ValueError, OverflowError):
        pass
    raise RequestError(argument, "must be a date such as 2026-11-23T00:30:00Z")


def obeyed(asked: Mapping[str, Any], heard: Mapping[str, Any]) -> float | None:
    """How well a clip obeyed: 1 less the mean distance of what was asked and what is heard.

    A 0-1 slider counts as it is, the tempo in parts of what was asked, a wrong key as a whole.

    Returns:
        0 to 1; None where nothing can be compared.
    """
    misses = []
    for name, wanted in asked.items():
        got = heard.get(name)
        if wanted is None or got is None:
            continue
        if isinstance(wanted, str):
            misses.append(float(wanted != got))
        elif isinstance(got, (int, float)):
            misses.append(min(1.0, abs(wanted - got) / (wanted if name == "tempo" and wanted else 1)))
    return round(1 - sum(misses) / len(misses), 4) if misses else None
