"""What can play which part."""

from __future__ import annotations

from fastapi import APIRouter

from musicgen_ui.music.instruments import CHOICES
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.services import Services


def instruments_router(services: Services) -> APIRouter:
    """The route of the instruments; the same for everybody."""
    router = APIRouter(route_class=StudioRoute, tags=["clips"])

    @router.get("/instruments")
    def instruments() -> dict[str, tuple[str, ...]]:
        """Part to the names of the instruments that can play it."""
        return CHOICES

    return router
