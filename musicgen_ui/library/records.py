"""Things in somebody's ``library.json``, checked: it may come from anywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import LIKED, ORIGINS, Clip, checked_id, milliseconds
from musicgen_ui.library.events import KINDS
from musicgen_ui.library.people import MAX_MEMORY
from musicgen_ui.library.playlists import MAX_ITEMS
from musicgen_ui.library.text import canonical, clean_tags, clean_text
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.theory import KEYS
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style

MAX_SECONDS = 3600.0
MAX_COUNT = 10**9
MAX_ENTRIES = 64
MAX_TRAITS = 32_768


@dataclass(frozen=True)
class PlaylistRecord:
    """A playlist; see :class:`musicgen_ui.library.playlists.Playlist`."""

    id: str
    name: str
    made: int
    changed: int
    deleted: int | None
    clips: tuple[str, ...]


@dataclass(frozen=True)
class EventRecord:
    """An event; see :class:`musicgen_ui.library.events.Event`."""

    clip: str
    kind: str
    time: int
    at: float | None


def clip_of(values: Any) -> Clip:
    """A clip.

    Raises:
        RequestError: of this and of every function here: something is missing or bad; it names the field.
    """
    values = _object("clips", values)
    recipe = Recipe.from_dict(values.get("recipe"))
    key, genre, metre = values.get("key"), values.get("genre"), values.get("metre")
    if key is not None and key not in KEYS:
        raise RequestError("key", f"{key!r:.40} is none")
    if metre not in METRES:
        raise RequestError("metre", f"{metre!r:.40} is none")
    if values.get("origin") not in ORIGINS:
        raise RequestError("origin", f"must be one of {', '.join(ORIGINS)}")
    if isinstance(values.get("liked"), bool) or values.get("liked") not in LIKED:
        raise RequestError("liked", "must be 1, 0 or -1")
    digest = values.get("hash")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise RequestError("hash", "must be 64 hexadecimal digits")
    return Clip(
        id=id_of("id", values.get("id")),
        title=clean_text("title", values.get("title")),
        made=milliseconds("made", values.get("made")),
        hash=digest,
        seconds=_number("seconds", values.get("seconds"), MAX_SECONDS),
        tempo=_number("tempo", values.get("tempo"), 1000.0),
        recipe=recipe.to_dict(),
        code=recipe.to_code(),
        key=key,
        metre=metre,
        bars=_count("bars", values.get("bars")),
        genre=None if genre is None else clean_text("genre", genre),
        asked=_values("asked", values.get("asked")),
        heard=_values("heard", values.get("heard")),
        parts=_parts(values.get("parts")),
        tags=clean_tags(values.get("tags")),
        loop=_truth("loop", values.get("loop")),
        origin=values["origin"],
        kept=_truth("kept", values.get("kept")),
        liked=int(values["liked"]),
        plays=_count("plays", values.get("plays")),
        skips=_count("skips", values.get("skips")),
        rebuilt_differs=_truth("rebuilt_differs", values.get("rebuilt_differs")),
        deleted=_maybe(milliseconds, "deleted", values.get("deleted")),
    )


def playlist_of(values: Any) -> PlaylistRecord:
    """A playlist."""
    values = _object("playlists", values)
    clips = values.get("clips")
    if not isinstance(clips, list) or len(clips) > MAX_ITEMS:
        raise RequestError("playlists", f"one holds no list of at most {MAX_ITEMS} clips")
    return PlaylistRecord(
        id=id_of("id", values.get("id")),
        name=clean_text("name", values.get("name")),
        made=milliseconds("made", values.get("made")),
        changed=milliseconds("changed", values.get("changed")),
        deleted=_maybe(milliseconds, "deleted", values.get("deleted")),
        clips=tuple(id_of("clips", clip) for clip in clips),
    )


def event_of(values: Any) -> EventRecord:
    """An event."""
    values = _object("events", values)
    if values.get("kind") not in KINDS:
        raise RequestError("kind", f"must be one of {', '.join(KINDS)}")
    at = _maybe(lambda name, value: _number(name, value, 86_400.0), "at", values.get("at"))
    return EventRecord(id_of("clip", values.get("clip")), values["kind"], milliseconds("time", values.get("time")), at)


def traits_of(values: Any) -> tuple[str, Mapping[str, Any]]:
    """Id and traits of a clip that events name."""
    values = _object("traits", values)
    traits = _object("traits", values.get("traits"))
    if len(canonical(traits)) > MAX_TRAITS:
        raise RequestError("traits", "are longer than any clip's")
    recipe = _object("traits", traits.get("recipe", traits))
    Style.from_dict(recipe.get("style", {}))
    _values("heard", traits.get("heard", {}))
    return id_of("clip", values.get("clip")), traits


def memory_of(values: Any) -> tuple[str, Any]:
    """Name and value of what is remembered."""
    values = _object("memories", values)
    name = values.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise RequestError("memories", "one has no name")
    if len(canonical(values.get("value"))) > MAX_MEMORY:
        raise RequestError("memories", f"{name} is longer than {MAX_MEMORY} characters")
    return name, values.get("value")


def id_of(argument: str, value: Any) -> str:
    """An id."""
    try:
        return checked_id(argument, value)
    except RequestError:
        raise RequestError(argument, f"{value!r:.40} is no id") from None


def _object(argument: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(argument, "must be objects")
    return value


def _number(argument: str, value: Any, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high:
        raise RequestError(argument, f"must be a number from 0 to {high:g}")
    return float(value)


def _count(argument: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise RequestError(argument, "must be a whole number that is not negative")
    return value


def _truth(argument: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise RequestError(argument, "must be true or false")
    return value


def _maybe(read: Callable[[str, Any], Any], argument: str, value: Any) -> Any:
    return None if value is None else read(argument, value)


def _values(argument: str, value: Any) -> dict[str, float | str | None]:
    """Slider to number or word; and genres to how likely each is heard."""
    value = _object(argument, value)
    if len(value) > MAX_ENTRIES:
        raise RequestError(argument, "holds more than there are sliders")
    for name, entry in value.items():
        if name == "genres" and isinstance(entry, dict):
            _values(name, {genre: _number(name, share, 1.0) for genre, share in entry.items()})
            continue
        fits = entry is None or (isinstance(entry, str) and len(entry) <= MAX_ENTRIES)
        if not fits and (not isinstance(entry, (int, float)) or not math.isfinite(entry) or abs(entry) > MAX_COUNT):
            raise RequestError(argument, "must be numbers and words")
        if len(name) > MAX_ENTRIES or "\0" in name:
            raise RequestError(argument, "must be numbers and words")
    return dict(value)


def _parts(value: Any) -> dict[str, str]:
    value = _object("parts", value)
    if not value.keys() <= set(PARTS):
        raise RequestError("parts", f"must be of {', '.join(PARTS)}")
    return {part: clean_text("parts", name) for part, name in value.items()}
