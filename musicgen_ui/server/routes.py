"""All of our own routes, under ``/studio``."""

from __future__ import annotations

from fastapi import APIRouter

from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.clips import clips_router
from musicgen_ui.server.downloads import downloads_router
from musicgen_ui.server.figures import figures_router
from musicgen_ui.server.instruments import instruments_router
from musicgen_ui.server.library import library_router
from musicgen_ui.server.matching import matching_router
from musicgen_ui.server.playlists import playlists_router
from musicgen_ui.server.recipes import recipes_router
from musicgen_ui.server.services import Services
from musicgen_ui.server.stream import stream_router
from musicgen_ui.server.taste import taste_router

ROUTERS = (
    stream_router,
    recipes_router,
    library_router,
    playlists_router,
    downloads_router,
    clips_router,
    figures_router,
    instruments_router,
    taste_router,
    matching_router,
)


def router(services: Services) -> APIRouter:
    """Every route that needs no Gradio."""
    whole = APIRouter(prefix="/studio", route_class=StudioRoute)
    for part in ROUTERS:
        whole.include_router(part(services))
    return whole
