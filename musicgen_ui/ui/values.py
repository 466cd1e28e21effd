"""Components that hold JSON values and tell programs their type; MCP refuses how Gradio describes its own."""

from __future__ import annotations

from typing import Any

import gradio as gr


class ObjectValue(gr.JSON):
    """An object."""

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        return {"type": "object", "description": "an object with any fields"}


class WordsValue(gr.JSON):
    """A list of words."""

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        return {"type": "array", "items": {"type": "string"}}


class NumbersValue(gr.JSON):
    """A list of whole numbers."""

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        return {"type": "array", "items": {"type": "integer"}}
