"""Routes of a person's library: clips, history, and everything in and out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clips import Clips
from musicgen_ui.library.export import export_library
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.asked import Asked
from musicgen_ui.server.downloads import Download
from musicgen_ui.server.person import Person
from musicgen_ui.server.services import Services
from musicgen_ui.server.upload import receive

Values = Annotated[dict[str, Any], Body()]

MAX_IDS = 1000
EXPORT_NAME = "music-library.zip"


def library_router(services: Services) -> APIRouter:
    """``/library``: every route wants the header ``X-Person``."""
    router = APIRouter(prefix="/library", route_class=StudioRoute, tags=["library"])
    _lists(router, services)
    _bin(router, services)
    _marks(router, services.library.clips)
    _transfer(router, services)
    return router


def _lists(router: APIRouter, services: Services) -> None:
    library, clips = services.library, services.library.clips

    @router.get("/clips")
    def list_clips(person: Person, asked: Annotated[Asked, Depends()]) -> dict[str, Any]:
        """A page of clips: ``{"clips": [ClipInfo], "total": n}``, searched, filtered and sorted.

        ``text`` holds words that title, tags, genre, key or instruments contain. A range is ``low..high`` with an end
        left open where it does not matter, such as ``tempo=90..120`` or ``brightness=..0.4``; the sliders' values are
        those that are heard. ``since`` and ``until`` are dates. ``kept=false`` lists the history.
        """
        return clips.list(person, asked.query()).to_dict()

    @router.get("/facets")
    def facets(person: Person) -> dict[str, list[str]]:
        """What the clips can be filtered by: the tags, genres, keys and origins that occur."""
        return clips.facets(person)

    @router.get("/counts")
    def counts(person: Person) -> dict[str, int]:
        """How many there are: kept clips, history, liked ones, playlists, events."""
        return library.people.counts(person)

    @router.get("/clips/{clip}")
    def get_clip(person: Person, clip: str) -> dict[str, Any]:
        """One clip: ClipInfo."""
        return clips.get(person, clip).to_dict()


def _bin(router: APIRouter, services: Services) -> None:
    clips = services.library.clips

    @router.post("/clips/delete")
    def delete_clips(person: Person, values: Values) -> dict[str, int]:
        """Delete ``{"clips": [id, ...]}``; they can be had back for 30 days."""
        deleted = clips.delete(person, _ids(values))
        services.sweep()
        services.turned_over(person)
        return {"deleted": deleted}

    @router.post("/clips/restore")
    def restore_clips(person: Person, values: Values) -> dict[str, int]:
        """Undo a delete: ``{"clips": [id, ...]}``."""
        restored = clips.restore(person, _ids(values))
        services.turned_over(person)
        return {"restored": restored}

    @router.post("/empty-history")
    def empty_history(person: Person) -> dict[str, list[str]]:
        """Delete what is neither kept nor liked nor in a playlist; the ids in the answer can be restored."""
        emptied = clips.empty_history(person)
        services.turned_over(person)
        return {"clips": emptied}

    @router.post("/purge")
    def purge(person: Person) -> dict[str, int]:
        """Let go of everything that was deleted, now and for good."""
        gone = clips.purge(person, now=True)
        services.shelf.remove(gone)
        return {"purged": len(gone)}


def _marks(router: APIRouter, clips: Clips) -> None:
    @router.post("/clips/{clip}/keep")
    def keep(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Keep a clip, or let it go back into the history: ``{"kept": true}``."""
        kept = values.get("kept", True)
        if not isinstance(kept, bool):
            raise RequestError("kept", "must be true or false")
        return clips.keep(person, clip, kept).to_dict()

    @router.post("/clips/{clip}/like")
    def like(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Like (1), dislike (-1) or neither (0): ``{"liked": 1}``. An answer means that nothing loses it."""
        return clips.like(person, clip, values.get("liked")).to_dict()

    @router.post("/clips/{clip}/title")
    def rename(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Rename a clip: ``{"title": "..."}``, 1 to 120 characters."""
        return clips.rename(person, clip, values.get("title")).to_dict()

    @router.post("/clips/{clip}/tags")
    def tag(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Give a clip these tags and no others: ``{"tags": ["...", ...]}``, at most 20."""
        return clips.tag(person, clip, values.get("tags")).to_dict()

    @router.post("/clips/{clip}/played")
    def played(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Note that a clip was listened to: ``{"at": seconds that were reached}``."""
        return clips.played(person, clip, values.get("at", 0)).to_dict()

    @router.post("/clips/{clip}/skipped")
    def skipped(person: Person, clip: str, values: Values) -> dict[str, Any]:
        """Note that a clip was left for something else: ``{"at": seconds that were reached}``."""
        return clips.skipped(person, clip, values.get("at", 0)).to_dict()


def _transfer(router: APIRouter, services: Services) -> None:
    library = services.library

    @router.post("/export")
    def export(person: Person, values: Values) -> dict[str, str]:
        """Prepare everything of the person as a zip; ``{"sound": false}`` leaves the audio out. Answers its ``url``."""
        sound = values.get("sound", True)
        if not isinstance(sound, bool):
            raise RequestError("sound", "must be true or false")
        shelf = services.shelf if sound else None
        download = Download(EXPORT_NAME, "application/zip", lambda: export_library(library, shelf, person))
        return {"url": services.downloads.offer(download)}

    @router.post("/import")
    async def bring(person: Person, request: Request) -> dict[str, int]:
        """Take in an exported library: the zip is the body, at most 200 MB. Clips that are there already stay one."""
        taken = await receive(request, services, person)
        services.turned_over(person)
        return vars(taken)

    @router.post("/forget")
    def forget(person: Person, values: Values) -> dict[str, int]:
        """Delete everything of the person at once and for good: ``{"sure": true}``."""
        if values.get("sure") is not True:
            raise RequestError("sure", "must be true: nothing of this can be had back")
        gone = library.people.forget(person)
        services.shelf.remove(gone)
        services.turned_over(person)
        return {"forgotten": len(gone)}


def _ids(values: dict[str, Any]) -> list[str]:
    ids = values.get("clips")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_IDS:
        raise RequestError("clips", f"must be a list of 1 to {MAX_IDS} clips")
    return ids
