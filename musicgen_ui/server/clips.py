"""Routes of a clip's files. Its id is the secret: elements that play sound cannot say who asks."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, StreamingResponse

from musicgen_ui.engine.mix import NOISE
from musicgen_ui.engine.names import content_disposition
from musicgen_ui.library.clip import Missing
from musicgen_ui.music.score import PARTS
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.services import Services
from musicgen_ui.server.takeaway import KINDS, Takeaway

MEDIA_TYPES = {
    "clip.wav": "audio/wav",
    "clip.mid": "audio/midi",
    "clip.json": "application/json",
    "score.json": "application/json",
}

# The same address gives other bytes after the clip was made again by another release: browsers ask by the tag.
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}


def clips_router(services: Services) -> APIRouter:
    """``/clips``: no header is needed."""
    router = APIRouter(prefix="/clips", route_class=StudioRoute, tags=["clips"])
    takeaway = Takeaway(services)

    @router.get("/{clip}/stems/{part}.wav", response_class=FileResponse)
    def stem(clip: str, part: str) -> FileResponse:
        """A part as it is in the mix, WAV; all add up to the clip. Parts: lead, chords, bass, drums, and noise."""
        if part not in (*PARTS, NOISE):
            raise Missing("part", f"must be one of {', '.join(PARTS)}")
        return FileResponse(takeaway.mixed(clip, part), media_type="audio/wav", headers=HEADERS)

    @router.get("/{clip}/download/{kind}")
    def download(clip: str, kind: str) -> Response:
        """The clip to take away, with a name that says what it is.

        ``wav16`` (the bytes of the hash), ``wav24``, ``flac``, ``mp3``, ``ogg``, ``midi``, ``musicxml``, ``stems`` (a
        zip) or ``json``. Sound files hold title and recipe.
        """
        if kind not in KINDS:
            raise Missing("format", f"must be one of {', '.join(KINDS)}")
        file = takeaway.file(clip, kind)
        headers = HEADERS | {"Content-Disposition": content_disposition(file.name)}
        if isinstance(file.content, Path):
            return FileResponse(file.content, media_type=file.media_type, headers=headers)
        if not isinstance(file.content, bytes):
            return StreamingResponse(file.content, media_type=file.media_type, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    @router.get("/{clip}/{name}", response_class=FileResponse)
    def file(clip: str, name: str) -> FileResponse:
        """``clip.wav`` (16 bit), ``clip.mid``, ``clip.json`` or ``score.json``. Ranges are answered.

        Where the file is gone it is made again from the recipe, one clip at a time; 503 when too many wait.
        """
        if name not in MEDIA_TYPES:
            raise Missing("file", f"must be one of {', '.join(MEDIA_TYPES)}")
        return FileResponse(services.files.file(clip, name), media_type=MEDIA_TYPES[name], headers=HEADERS)

    return router
