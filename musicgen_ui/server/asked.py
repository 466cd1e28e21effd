"""What a list is asked for, as it stands in an address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import milliseconds
from musicgen_ui.library.listing import MAX_PAGE, Query, Range
from musicgen_ui.library.schema import HEARD

_NUMBER = r"-?\d{1,9}(?:\.\d{1,9})?"


@dataclass
class Asked:
    """Query parameters of a list; see :class:`musicgen_ui.library.listing.Query`."""

    text: str = ""
    kept: str | None = None
    liked: str | None = None
    genre: str | None = None
    key: str | None = None
    tag: str | None = None
    origin: str | None = None
    loop: str | None = None
    tempo: str | None = None
    mood: str | None = None
    energy: str | None = None
    density: str | None = None
    syncopation: str | None = None
    complexity: str | None = None
    brightness: str | None = None
    space: str | None = None
    since: str | None = None
    until: str | None = None
    deleted: str | None = None
    sort: str = "newest"
    page: str = "0"
    size: str = "24"

    def query(self) -> Query:
        """What it means.

        Raises:
            RequestError: names the parameter that cannot be read.
        """
        heard = {name: _range(name, getattr(self, name)) for name in HEARD}
        since = milliseconds("since", self.since) if self.since else None
        until = milliseconds("until", self.until) if self.until else None
        return Query(
            text=self.text,
            kept=_truth("kept", self.kept),
            liked=None if not self.liked else _whole("liked", self.liked, -1, 1),
            genre=self.genre or None,
            key=self.key or None,
            tag=self.tag or None,
            origin=self.origin or None,
            loop=_truth("loop", self.loop),
            tempo=_range("tempo", self.tempo),
            heard={name: ends for name, ends in heard.items() if ends != (None, None)},
            made=(since, until),
            deleted=_truth("deleted", self.deleted) or False,
            sort=self.sort,
            page=_whole("page", self.page, 0, 1_000_000),
            size=_whole("size", self.size, 1, MAX_PAGE),
        )


def _truth(name: str, text: str | None) -> bool | None:
    if not text:
        return None
    if text not in ("true", "false"):
        raise RequestError(name, "must be true or false")
    return text == "true"


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
        raise RequestError(name, f"must be a whole number from {low} to {high}")
    return int(text)


def _range(name: str, text: str | None) -> Range:
    if not text:
        return None, None
    match = re.fullmatch(rf"({_NUMBER})?\.\.({_NUMBER})?", text, re.ASCII)
    if not match:
        raise RequestError(name, "must be a range such as 0.2..0.8")
    low, high = (None if end is None else float(end) for end in match.groups())
    return low, high
