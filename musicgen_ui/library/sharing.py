"""A playlist as a token for a link: what makes every clip of it again, as short as it gets."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.library import records
from musicgen_ui.library.clip import Clip, iso, new_id
from musicgen_ui.library.merge import Incoming, merge
from musicgen_ui.library.playlists import Playlist
from musicgen_ui.library.store import Library
from musicgen_ui.library.text import canonical, clean_text

PREFIX = "p1."
MAX_TOKEN = 12_000
"""Characters that a link may have: browsers and servers take more, messengers hardly."""

MAX_CLIPS = 200
_MAX_JSON = 2**20
_TOLD = ("title", "hash", "seconds", "tempo", "key", "metre", "bars", "genre", "parts", "loop", "recipe")

_LINK = "playlist link"


def to_values(playlist: Playlist) -> dict[str, Any]:
    """What a shared playlist holds, as JSON value: names, facts and recipes, and nothing of the person.

    Raises:
        RequestError: it is empty, or longer than can be shared.
    """
    clips = playlist.clips or ()
    if not 1 <= len(clips) <= MAX_CLIPS:
        raise RequestError("playlist", f"only one of 1 to {MAX_CLIPS} clips can be shared")
    told = [{name: clip.to_dict()[name] for name in _TOLD} for clip in clips]
    return {"name": playlist.name, "clips": told}


def to_token(playlist: Playlist) -> str | None:
    """The playlist for a link; None where it would be longer than MAX_TOKEN.

    Raises:
        RequestError: as :func:`to_values`.
    """
    packed = zlib.compress(canonical(to_values(playlist)).encode("ascii"), 9)
    token = PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")
    return token if len(token) <= MAX_TOKEN else None


def from_token(token: Any) -> Any:
    """Inverse of :func:`to_token`, not checked further. Work and memory are bounded whatever the text holds.

    Raises:
        RequestError: it is no such token, or a damaged one.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not re.fullmatch(r"p1\.[A-Za-z0-9_-]+", token):
        raise RequestError(_LINK, "it is none, or it was cut")
    body = token.removeprefix(PREFIX)
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), _MAX_JSON)
        if not inflate.eof or inflate.unused_data:
            raise ValueError
        return json.loads(text.decode("ascii"))
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise RequestError(_LINK, "it was cut or changed") from None


def open_shared(library: Library, person: str, values: Any) -> Playlist:
    """A shared playlist as one of the person's own: clips that are new come in as opened.

    Args:
        library: to put it into.
        person: whose it becomes.
        values: of :func:`to_values` or :func:`from_token`.

    Raises:
        RequestError: something in it is bad.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("clips"), list):
        raise RequestError(_LINK, "it holds no playlist")
    if not 1 <= len(values["clips"]) <= MAX_CLIPS:
        raise RequestError(_LINK, f"it must hold 1 to {MAX_CLIPS} clips")
    name, now = clean_text("name", values.get("name")), library.database.now()
    clips: dict[str, Clip] = {}
    order = []
    for told in values["clips"]:
        clip = _clip(told, now + len(clips))
        order.append(clips.setdefault(clip.hash, clip).id)
    done = merge(library.database, person, Incoming(list(clips.values())))
    here = {there: here for there, here, _ in done.files}
    return library.playlists.create(person, name, [here[clip] for clip in order])


def _clip(told: Any, made: int) -> Clip:
    if not isinstance(told, Mapping):
        raise RequestError(_LINK, "it holds no clips")
    nobody = {"asked": {}, "heard": {}, "tags": [], "kept": True, "liked": 0, "plays": 0, "skips": 0}
    own = {"id": new_id(), "made": iso(made), "origin": "opened", "rebuilt_differs": False, "deleted": None}
    return records.clip_of({name: told.get(name) for name in _TOLD} | nobody | own)


def to_m3u(playlist: Playlist, names: list[str]) -> str:
    """An extended M3U list in UTF-8.

    Args:
        playlist: with its clips.
        names: of their files beside the list, in order.
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{playlist.name}"]
    for clip, name in zip(playlist.clips or (), names, strict=True):
        lines += [f"#EXTINF:{round(clip.seconds)},{clip.title}", name]
    return "\n".join(lines) + "\n"
