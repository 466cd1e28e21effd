"""Recipes that come in a file: what was taken away is brought back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from musicgen_ui.engine.recipe_file import read_recipe
from musicgen_ui.server.answers import StudioRoute, TooLarge
from musicgen_ui.server.services import Services

MAX_FILE = 64 * 2**20


def recipes_router(services: Services) -> APIRouter:
    """The route that a dropped file goes to."""
    router = APIRouter(route_class=StudioRoute, tags=["clips"])

    @router.post("/recipe")
    async def recipe_of_file(request: Request) -> dict[str, Any]:
        """The recipe inside a file made here: ``{"recipe", "code"}``. The body is the file, up to 64 MB."""
        with tempfile.NamedTemporaryFile(dir=services.shelf.root, prefix=".upload-") as file:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_FILE:
                    raise TooLarge("file", f"at most {MAX_FILE >> 20} MB are looked at")
                file.write(chunk)
            file.flush()
            recipe = await run_in_threadpool(read_recipe, Path(file.name), "file")
        return {"recipe": recipe.to_dict(), "code": recipe.to_code()}

    return router
