"""The browser remembers where the controls stood; the server never learns of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import gradio as gr

from musicgen_ui.ui.settings import PAGE_CONTROLS

KEY = "musicgen-controls"
"""Name in the browser's storage."""


def wire_memory(demo: gr.Blocks, made: Mapping[str, gr.components.Component]) -> None:
    """Remember the controls when ``memory.js`` presses the hidden button, and set them again when the page opens.

    Args:
        demo: the page.
        made: control name to component, for every name in PAGE_CONTROLS.
    """
    controls = [made[name] for name in PAGE_CONTROLS]
    # Values of another release may mean something else: they are remembered under the controls' names.
    version = hashlib.sha256(",".join(PAGE_CONTROLS).encode()).hexdigest()[:16]
    button = gr.Button("Remember", visible="hidden", elem_id="do-remember")
    button.click(None, controls, None, js=_remember_js(version), api_visibility="private")
    demo.load(None, None, controls, js=_recall_js(version, [part.value for part in controls]), api_visibility="private")


def _remember_js(version: str) -> str:
    kept = f'JSON.stringify({{ version: "{version}", values }})'
    # A private window remembers nothing, and that is no error.
    return f'(...values) => {{ try {{ localStorage.setItem("{KEY}", {kept}); }} catch {{ }} return []; }}'


def _recall_js(version: str, defaults: list[object]) -> str:
    """What sets the controls; it stands by itself, because the page's modules may come later than Gradio."""
    return (
        f'() => {{ try {{ const kept = JSON.parse(localStorage.getItem("{KEY}")); '
        f'if (kept?.version === "{version}" && kept.values.length === {len(defaults)}) return kept.values; }} '
        f"catch {{ /* nothing is remembered */ }} return {json.dumps(defaults)}; }}"
    )
