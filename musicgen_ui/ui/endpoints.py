"""Every action of the page as a named endpoint: for gradio_client, plain HTTP and MCP."""

from __future__ import annotations

from typing import Any

import gradio as gr

from musicgen_ui.server.services import Services
from musicgen_ui.ui.api import OUTPUTS, api_accompany, api_continue, api_generate, api_regenerate
from musicgen_ui.ui.api_library import library_endpoints
from musicgen_ui.ui.api_variations import api_make_recipe, api_morph, api_perform, api_vary
from musicgen_ui.ui.controls import Components
from musicgen_ui.ui.settings import RECIPE_CONTROLS
from musicgen_ui.ui.start import api_match
from musicgen_ui.ui.timbre import api_borrow
from musicgen_ui.ui.values import NUMBERS, OBJECT, WORDS, json_value


def wire_endpoints(made: Components, services: Services, lane: str) -> None:
    """Wire them.

    Args:
        made: control name to component, for every name in RECIPE_CONTROLS.
        services: models and library.
        lane: the queue of whatever needs the processor.
    """
    queued = {"concurrency_limit": 1, "concurrency_id": lane}
    answers = [gr.File(label=name, visible=False) for name in OUTPUTS] + [json_value(label="clip")]
    every = {name: made[name] for name in RECIPE_CONTROLS}
    song = {"file": gr.File(label="file", visible=False)}
    again = _hidden(seed=0, style={}) | song
    owner = _hidden(person="")
    makers = {
        "generate": (api_generate, every),
        "accompany": (api_accompany, song | _hidden(keep=[]) | every),
        "continue_clip": (api_continue, _hidden(recipe={}, bars=8) | again),
        "regenerate": (api_regenerate, _hidden(recipe={}, parts=[], bars=[]) | again),
        "make_recipe": (api_make_recipe, _hidden(recipe={})),
        "vary": (api_vary, _hidden(recipe={}, amount=0.3, seed=0)),
        "morph": (api_morph, _hidden(a={}, b={}, mix=0.5, bars=0)),
        "perform": (api_perform, _hidden(recipe={}, style={}, synth="", timbre={})),
    }
    for name, (endpoint, inputs) in makers.items():
        gr.Button(visible=False).click(
            endpoint(services), inputs_kwargs=inputs | owner, outputs=answers, preprocess=False, api_name=name, **queued
        )
    for name, endpoint, found in (("borrow_timbre", api_borrow, "point"), ("match", api_match, "style")):
        recording, answer = gr.File(label="recording", visible=False), json_value(label=found)
        gr.Button(visible=False).click(endpoint(services.studio), recording, answer, api_name=name, **queued)
    for name, function in library_endpoints(services).items():
        gr.api(function, api_name=name, concurrency_limit=4)


def _hidden(**values: Any) -> dict[str, gr.components.Component]:
    """A component that nobody sees for every argument, with its default."""
    kinds = {int: gr.Number, float: gr.Number, str: gr.Textbox}

    def part(name: str, value: Any) -> gr.components.Component:
        if type(value) in kinds:
            return kinds[type(value)](value, label=name, visible=False)
        schema = OBJECT if isinstance(value, dict) else NUMBERS if name == "bars" else WORDS
        return json_value(value, schema=schema, label=name)

    return {name: part(name, value) for name, value in values.items()}
