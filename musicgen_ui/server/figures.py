"""Figures of clips: drawn by the page's side, handed out here."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from musicgen_ui.engine.shelve import FACTS
from musicgen_ui.library.clip import Missing
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.services import Services

CACHE = "private, max-age=86400"
"""A clip never changes; after a day its picture may be drawn in a better way."""


def figures_router(services: Services) -> APIRouter:
    """The route of a clip's figures. Who knows the id of a clip may see them."""
    router = APIRouter(route_class=StudioRoute, tags=["clips"])

    @router.get("/clips/{clip}/figures/{kind}", response_class=HTMLResponse)
    def figure(clip: str, kind: str) -> HTMLResponse:
        """A figure as a piece of HTML: waveform, roll, mel, chroma, mfcc or sheet."""
        if services.figures is None:
            raise Missing("figures", "are not drawn here")
        return HTMLResponse(
            services.figures(kind, services.files.file(clip, FACTS).parent), headers={"Cache-Control": CACHE}
        )

    return router
