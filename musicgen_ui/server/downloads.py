"""Downloads that a browser makes by itself: a secret address, for an element that cannot say who asks."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from musicgen_ui.engine.names import content_disposition
from musicgen_ui.library.clip import Missing
from musicgen_ui.server.answers import StudioRoute

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

KEPT = 256
"""Addresses that are remembered; the oldest goes first."""

SECONDS = 600.0
"""For which an address is good."""

SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}


@dataclass(frozen=True)
class Download:
    """A file in the making.

    Attributes:
        name: what the browser calls it.
        media_type: of it.
        pieces: makes its content.
    """

    name: str
    media_type: str
    pieces: Callable[[], Iterator[bytes]]


class Downloads:
    """Prepared downloads, by a name that nobody can guess."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offered: OrderedDict[str, tuple[float, Download]] = OrderedDict()

    def offer(self, download: Download) -> str:
        """Its address, relative to the page; good for SECONDS."""
        ticket = secrets.token_urlsafe(16)
        with self._lock:
            self._offered[ticket] = (self._clock() + SECONDS, download)
            while len(self._offered) > KEPT:
                self._offered.popitem(last=False)
        return f"studio/downloads/{ticket}"

    def take(self, ticket: str) -> Download:
        """What is there. A browser may ask twice.

        Raises:
            Missing: nothing, or no longer.
        """
        with self._lock:
            until, download = self._offered.get(ticket, (0.0, None))
        if download is None or until < self._clock():
            raise Missing("download", "the address is no longer good; ask for the file again")
        return download


def downloads_router(services: Services) -> APIRouter:
    """``/downloads``: the address is the secret."""
    router = APIRouter(prefix="/downloads", route_class=StudioRoute, tags=["library"])

    @router.get("/{ticket}", response_class=StreamingResponse)
    def download(ticket: str) -> StreamingResponse:
        """A file that was prepared: an exported library or playlist."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{22}", ticket):
            raise Missing("download", "there is no such file")
        found = services.downloads.take(ticket)
        headers = {"Content-Disposition": content_disposition(found.name), **SAFE}
        return StreamingResponse(found.pieces(), media_type=found.media_type, headers=headers)

    return router
