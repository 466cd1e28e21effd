"""The whole site: our own routes, and the page that Gradio draws, as one FastAPI application."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from musicgen_ui.server.routes import router
from musicgen_ui.server.services import Services
from musicgen_ui.ui.figures import draw
from musicgen_ui.ui.layout import build
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.theme import STATIC, mount_options

SESSIONS = 500
"""Visitors whose page state is kept; the oldest goes first."""


@dataclass(frozen=True)
class Site:
    """What a server serves.

    Attributes:
        app: answers every request.
        demo: the page inside it.
    """

    app: FastAPI
    demo: gr.Blocks


def site(services: Services) -> Site:
    """The site over loaded models and a library.

    Args:
        services: what the routes and the page work with.
    """
    services.figures = services.figures or draw
    # Who has liked nothing yet is shown around by way of the presets.
    services.taste.stops = tuple(preset.style for preset in PRESETS.values())
    # Our routes have a page of their own; FastAPI's would load its scripts from another machine.
    app = FastAPI(title="MusicGen UI", docs_url=None, redoc_url=None, openapi_url="/studio/openapi.json")
    app.include_router(router(services))
    app.mount("/studio/static", StaticFiles(directory=STATIC), name="static")
    demo = build(services)
    demo.state_session_capacity = SESSIONS
    gr.mount_gradio_app(app, demo, path="/", **mount_options())
    if demo.mcp_error:
        raise RuntimeError(demo.mcp_error)  # Gradio would only go on without
    return Site(app, demo)
