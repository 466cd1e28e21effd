"""Components that hold JSON values and tell programs their type; MCP refuses how Gradio describes its own."""

from __future__ import annotations

from typing import Any

import gradio as gr

OBJECT: dict[str, Any] = {"type": "object", "description": "an object with any fields"}
WORDS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}


def json_value(value: Any = None, *, schema: dict[str, Any] = OBJECT, label: str) -> gr.JSON:
    """A component that nobody sees and that holds a JSON value.

    Args:
        value: at first.
        schema: of the value: OBJECT, WORDS or NUMBERS.
        label: its name.
    """
    part = gr.JSON(value, label=label, visible=False)
    # Of the instance: Gradio writes a stub file beside every module that has a component class of its own.
    part.api_info = lambda: dict(schema)
    return part
