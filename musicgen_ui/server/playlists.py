"""Routes of playlists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Body

from musicgen_ui.engine.names import title_slug
from musicgen_ui.errors import RequestError
from musicgen_ui.library.export import read_pieces, zip_stream
from musicgen_ui.library.playlists import MAX_ITEMS, Playlist, Playlists
from musicgen_ui.library.sharing import from_token, open_shared, to_m3u, to_token, to_values
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.downloads import Download
from musicgen_ui.server.person import Person
from musicgen_ui.server.services import Services

Values = Annotated[dict[str, Any], Body()]

KINDS = ("m3u", "zip", "json")


def playlists_router(services: Services) -> APIRouter:
    """``/playlists``: every route wants the header ``X-Person``."""
    router = APIRouter(prefix="/playlists", route_class=StudioRoute, tags=["playlists"])
    _sharing(router, services)
    _whole(router, services.library.playlists)
    _items(router, services.library.playlists)
    return router


def _whole(router: APIRouter, playlists: Playlists) -> None:

    @router.get("")
    def list_playlists(person: Person, deleted: bool = False) -> dict[str, Any]:
        """``{"playlists": [{"id", "name", "made", "changed", "count", "seconds"}]}``, the last changed one first."""
        return {"playlists": [playlist.to_dict() for playlist in playlists.list(person, deleted)]}

    @router.post("")
    def create(person: Person, values: Values) -> dict[str, Any]:
        """A new playlist: ``{"name": "...", "clips": [id, ...]}``. Clips in a playlist are kept."""
        return playlists.create(person, values.get("name"), _clips(values, [])).to_dict()

    @router.get("/{playlist}")
    def get_playlist(person: Person, playlist: str) -> dict[str, Any]:
        """A playlist with its ``clips``, in order."""
        return playlists.get(person, playlist).to_dict()

    @router.post("/{playlist}/name")
    def rename(person: Person, playlist: str, values: Values) -> dict[str, Any]:
        """Rename it: ``{"name": "..."}``."""
        return playlists.rename(person, playlist, values.get("name")).to_dict()

    @router.post("/{playlist}/delete")
    def delete(person: Person, playlist: str) -> dict[str, Any]:
        """Delete it; it can be had back for 30 days."""
        playlists.delete(person, playlist)
        return {"id": playlist}

    @router.post("/{playlist}/restore")
    def restore(person: Person, playlist: str) -> dict[str, Any]:
        """Undo a delete."""
        return playlists.restore(person, playlist).to_dict()


def _items(router: APIRouter, playlists: Playlists) -> None:
    @router.post("/{playlist}/add")
    def add(person: Person, playlist: str, values: Values) -> dict[str, Any]:
        """Put clips in: ``{"clips": [id, ...], "at": position from 0, or left out for the end}``. They are kept."""
        return playlists.add(person, playlist, _clips(values), values.get("at")).to_dict()

    @router.post("/{playlist}/remove")
    def remove(person: Person, playlist: str, values: Values) -> dict[str, Any]:
        """Take one clip out: ``{"position": from 0, "clip": id that is there}``."""
        return playlists.remove(person, playlist, values.get("position"), values.get("clip")).to_dict()

    @router.post("/{playlist}/order")
    def reorder(person: Person, playlist: str, values: Values) -> dict[str, Any]:
        """Bring it into another order: ``{"clips": [all of its ids]}``."""
        return playlists.reorder(person, playlist, _clips(values)).to_dict()

    @router.post("/{playlist}/duplicate")
    def duplicate(person: Person, playlist: str, values: Values) -> dict[str, Any]:
        """Another one with the same clips: ``{"name": "..."}``, or the same name."""
        return playlists.duplicate(person, playlist, values.get("name")).to_dict()


def _sharing(router: APIRouter, services: Services) -> None:
    playlists = services.library.playlists

    @router.post("/open")
    def open_playlist(person: Person, values: Values) -> dict[str, Any]:
        """Take in what somebody shared: ``{"token": "p1...."}`` of a link, or ``{"playlist": ...}`` of a file."""
        shared = values["playlist"] if "playlist" in values else from_token(values.get("token"))
        return open_shared(services.library, person, shared).to_dict()

    @router.get("/{playlist}/share")
    def share(person: Person, playlist: str) -> dict[str, Any]:
        """What a link needs to make the same clips anywhere: ``{"token": "p1...."}``.

        It is null where it gets too long: then share the ``json`` download.
        """
        return {"token": to_token(playlists.get(person, playlist))}

    @router.post("/{playlist}/download")
    def download(person: Person, playlist: str, values: Values) -> dict[str, str]:
        """Prepare a file and answer its ``url``: ``{"kind": "m3u"}`` a list, ``zip`` with the sound, ``json`` to share.

        In a zip, clips whose sound is gone are made again, which takes a while; what cannot be made is left out.
        """
        kind = values.get("kind")
        if kind not in KINDS:
            raise RequestError("kind", f"must be one of {', '.join(KINDS)}")
        whole = playlists.get(person, playlist)
        return {"url": services.downloads.offer(_download(services, kind, whole))}


def _download(services: Services, kind: str, playlist: Playlist) -> Download:
    slug = title_slug(playlist.name)
    if kind == "zip":
        return Download(f"{slug}.zip", "application/zip", lambda: _zipped(services, playlist))
    if kind == "json":
        text = json.dumps(to_values(playlist), separators=(",", ":"), allow_nan=False)
        return Download(f"{slug}.playlist.json", "application/json", lambda: iter([text.encode("ascii")]))
    text = to_m3u(playlist, _names(playlist))
    return Download(f"{slug}.m3u8", "audio/x-mpegurl", lambda: iter([text.encode()]))


def _names(playlist: Playlist) -> list[str]:
    """Names of the clips' files, in the order in which they play."""
    return [f"{n:03d}-{title_slug(clip.title)}.wav" for n, clip in enumerate(playlist.clips or (), 1)]


def _zipped(services: Services, playlist: Playlist) -> Iterator[bytes]:
    def members() -> Iterator[tuple[str, bool, Iterable[bytes]]]:
        clips, names = [], []
        for clip, name in zip(playlist.clips or (), _names(playlist), strict=True):
            try:
                sound = services.files.file(clip.id, "clip.wav")
            except RequestError:
                continue  # the list names what is there
            yield name, False, read_pieces(sound)
            clips.append(clip)
            names.append(name)
        there = Playlist(**{**vars(playlist), "clips": tuple(clips)})
        yield f"{title_slug(playlist.name)}.m3u8", True, [to_m3u(there, names).encode()]

    return zip_stream(members())


def _clips(values: dict[str, Any], default: list[str] | None = None) -> list[str]:
    clips = values.get("clips", default)
    if not isinstance(clips, list) or len(clips) > MAX_ITEMS or not all(isinstance(clip, str) for clip in clips):
        raise RequestError("clips", f"must be a list of at most {MAX_ITEMS} clips")
    return clips
