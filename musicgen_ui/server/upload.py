"""A library that is brought: a body of any length but the allowed one, on the disk before it is looked at."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from musicgen_ui.library.intake import Taken, import_library
from musicgen_ui.library.rebuilding import Busy
from musicgen_ui.server.answers import TooLarge

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

MAX_UPLOAD = 200 * 2**20

_ONE = threading.Lock()
"""Held while a library is taken in: it may fill memory and disk once, not forty times."""


async def receive(request: Request, services: Services, person: str) -> Taken:
    """Takes the library in the body of a request in.

    Raises:
        TooLarge: longer than MAX_UPLOAD.
        Busy: somebody else's is being taken in.
        RequestError: it is none.
    """
    if not _ONE.acquire(blocking=False):
        raise Busy("file", "another library is being taken in; try again in a moment")
    try:
        with tempfile.NamedTemporaryFile(dir=services.shelf.root, prefix=".upload-", suffix=".zip") as file:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_UPLOAD:
                    told = f"at most {MAX_UPLOAD >> 20} MB are taken; export it without sound, which is made again"
                    raise TooLarge("file", told)
                file.write(chunk)
            file.flush()
            return await run_in_threadpool(import_library, services.library, services.shelf, person, Path(file.name))
    finally:
        _ONE.release()
