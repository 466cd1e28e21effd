"""All of our own routes, under ``/studio``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from fastapi import APIRouter

from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.services import Services

ROUTERS = (
    ("musicgen_ui.server.stream", "stream_router"),
    ("musicgen_ui.server.recipes", "recipes_router"),
    ("musicgen_ui.server.library", "library_router"),
    ("musicgen_ui.server.playlists", "playlists_router"),
    ("musicgen_ui.server.downloads", "downloads_router"),
    ("musicgen_ui.server.clips", "clips_router"),
    ("musicgen_ui.server.figures", "figures_router"),
    ("musicgen_ui.server.instruments", "instruments_router"),
    ("musicgen_ui.server.taste", "taste_router"),
    ("musicgen_ui.server.matching", "matching_router"),
)


def router(services: Services) -> APIRouter:
    """Every route that needs no Gradio."""
    whole = APIRouter(prefix="/studio", route_class=StudioRoute)
    for module, name in ROUTERS:
        if find_spec(module) is not None:
            whole.include_router(getattr(import_module(module), name)(services))
    return whole
