"""Routes that find: clips like a clip, a recording or a hummed tune; and the training pieces nearest to a clip."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Request
from fastapi.concurrency import run_in_threadpool

from musicgen_ui.audio.decode import UploadLimits, decode_upload
from musicgen_ui.audio.humming import hummed_melody
from musicgen_ui.audio.template import Template, template
from musicgen_ui.audio.template_match import reason
from musicgen_ui.library.clip import Missing
from musicgen_ui.library.matching import Match
from musicgen_ui.library.novelty import nearest_training, verdict
from musicgen_ui.music.score_json import score_from_dict
from musicgen_ui.server.answers import StudioRoute, TooLarge
from musicgen_ui.server.gate import Gate
from musicgen_ui.server.hearing import SCORE, Hearing
from musicgen_ui.server.person import Person

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

COUNT = 10
UPLOAD = UploadLimits(file_bytes=15 * 2**20, seconds=60.0)
"""What is taken of a recording: 15 MB, its first minute."""

LEAST_SCORE = 0.15
"""Clips that are less like the fragment are not worth showing."""

_NOVELTY = Gate()
_DECODING = Gate()


Named = Annotated[str, Body(embed=True)]
Seconds = Annotated[float | None, Body(embed=True)]


def hearing(services: Services) -> Hearing:
    """What hears and finds clips for these services, made when it is first needed."""
    if services.matching is None:
        services.matching = Hearing(services)
    return services.matching


def similar_to_clip(
    services: Services, person: str, clip: str, begin: float | None = None, end: float | None = None
) -> dict[str, Any]:
    """The person's other clips that are most like a clip or a stretch of it.

    Args:
        services: of the server.
        person: key of the person.
        clip: id of one of the person's clips.
        begin: seconds; the clip's beginning by default.
        end: seconds; the clip's end by default.

    Returns:
        ``matches``, best first: {clip: ClipInfo, begin, end (seconds), score 0 to 1, why (a phrase), likeness (of
        melody, harmony, rhythm, colour), semitones, tempo}; ``unheard``: how many clips could not be compared.

    Raises:
        RequestError: there is no such clip, or the stretch is too short or silent.
    """
    ears = hearing(services)
    services.library.clips.get(person, clip)
    whole = ears.template(person, clip)
    first = 0.0 if begin is None else max(0.0, begin)
    last = whole.seconds if end is None else min(whole.seconds, end)
    return _found(services, person, whole.part(first, max(first, last)), hummed=False, without=(clip,))


def similar_to_sound(services: Services, person: str, data: bytes, *, hummed: bool | None = None) -> dict[str, Any]:
    """The person's clips that are most like a recording.

    Args:
        services: of the server.
        person: key of the person.
        data: an audio file: WAV, FLAC, MP3, OGG or AIFF, at most 15 MB; its first minute counts.
        hummed: look for its tune only, in any octave; None tries both and keeps what fits better.

    Returns:
        as :func:`similar_to_clip`.

    Raises:
        RequestError: the file is refused, too short or silent.
    """
    with _DECODING.through():
        samples, rate = decode_upload(data, UPLOAD, argument="recording", cut=True)
        fragment = template(samples, rate)
        if hummed is not False:
            fragment = fragment.with_melody(_fitted(hummed_melody(samples, rate), fragment.frames))
    if hummed is not None:
        return _found(services, person, fragment, hummed=hummed)
    played = _found(services, person, fragment, hummed=False)
    if (fragment.melody > 0).mean() < 0.3:
        return played
    tune = _found(services, person, fragment, hummed=True)
    return max(played, tune, key=lambda told: told["matches"][0]["score"] if told["matches"] else 0.0)


def novelty_of_clip(services: Services, person: str, clip: str) -> dict[str, Any]:
    """The training pieces that come nearest to a clip.

    Args:
        services: of the server.
        person: key of the person.
        clip: id of one of the person's clips.

    Returns:
        ``verdict`` (a sentence) and ``nearest``, best first: {name, corpus, licence, score 0 to 1, where (a phrase),
        exact_beats, there, here (first and last beat)}.

    Raises:
        RequestError: there is no such clip, or it has neither tune nor chords.
    """
    services.library.clips.get(person, clip)
    score = score_from_dict(json.loads(services.files.file(clip, SCORE).read_text(encoding="utf-8")))
    with _NOVELTY.through():
        nearest = nearest_training(score)
    rows = [
        asdict(near)
        | {"name": near.title, "score": near.likeness, "where": f"bar {near.bar_there}, like bar {near.bar_here} here"}
        for near in nearest
    ]
    return {"verdict": verdict(nearest), "nearest": rows}


def matching_router(services: Services) -> APIRouter:
    """``/similar``."""
    router = APIRouter(prefix="/similar", route_class=StudioRoute, tags=["similar"])

    @router.post("/clip")
    def like_clip(clip: Named, person: Person, begin: Seconds = None, end: Seconds = None) -> dict[str, Any]:
        """The person's clips most like a clip or a stretch of it, in seconds."""
        return similar_to_clip(services, person, clip, begin, end)

    @router.post("/sound")
    async def like_sound(request: Request, person: Person, hummed: bool | None = None) -> dict[str, Any]:
        """The person's clips most like the sound file that is the body of the request."""
        data = await _bounded(request)
        return await run_in_threadpool(similar_to_sound, services, person, data, hummed=hummed)

    @router.post("/novelty")
    def novelty(clip: Named, person: Person) -> dict[str, Any]:
        """The training pieces nearest to a clip."""
        return novelty_of_clip(services, person, clip)

    return router


def _found(
    services: Services, person: str, fragment: Template, *, hummed: bool, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    ears = hearing(services)
    unheard = ears.catch_up(person)
    found = ears.matcher.find(person, fragment, hummed=hummed, count=COUNT, without=without)
    rows = [row for match in found if match.score >= LEAST_SCORE and (row := _row(services, person, match))]
    return {"matches": rows, "unheard": unheard}


def _row(services: Services, person: str, match: Match) -> dict[str, Any] | None:
    """A match as JSON; None where the clip has been deleted meanwhile."""
    try:
        clip = services.library.clips.get(person, match.clip)
    except Missing:
        return None
    if clip.deleted is not None:
        return None
    values = asdict(match)
    likeness = values.pop("why")
    return values | {"clip": clip.to_dict(), "likeness": likeness, "why": reason(likeness)}


def _fitted(melody: np.ndarray, frames: int) -> np.ndarray:
    """A tune of so many frames; the two transforms may differ by one."""
    return np.pad(melody[:frames], (0, max(0, frames - len(melody))))


async def _bounded(request: Request) -> bytes:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > UPLOAD.file_bytes:
            raise TooLarge("recording", f"at most {UPLOAD.file_bytes >> 20} MB are taken")
    return bytes(held)
