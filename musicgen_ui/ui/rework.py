"""Work on the clip that is shown: continue it, or write some of it anew. Its tempo, metre and key stay."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from musicgen_ui.music.score import PARTS

MORE_BARS = (1, 32, 8)
"""Lowest, highest and default number of bars to add."""


@dataclass(frozen=True)
class Bench:
    """The section's controls.

    Attributes:
        more: how many bars to add.
        go_on: adds them.
        first: first bar to write anew, counted from 1.
        last: last bar to write anew.
        parts: parts to write anew; none ticked means all.
        renew: writes them.
    """

    more: gr.Slider
    go_on: gr.Button
    first: gr.Number
    last: gr.Number
    parts: gr.CheckboxGroup
    renew: gr.Button


def bench_controls() -> Bench:
    """The section under a clip."""
    with gr.Accordion("Work on this clip", open=False, elem_id="bench"):
        gr.HTML(
            "<p>The sliders count as they stand now; tempo, metre and key stay the clip's own. The clip above stays "
            "until the new one is there.</p>",
            elem_classes="hint",
        )
        with gr.Row(elem_id="bench-row"):
            with gr.Column(elem_classes="slot", min_width=0):
                low, high, value = MORE_BARS
                more = gr.Slider(
                    low, high, value, step=1, label="Continue by (bars)", elem_id="more", buttons=[], min_width=140
                )
                go_on = gr.Button("Continue", size="md", elem_id="continue", elem_classes="makes", min_width=0)
            with gr.Column(elem_classes="slot", min_width=0):
                with gr.Row(elem_id="span"):
                    first = gr.Number(1, label="From bar", precision=0, minimum=1, elem_id="first-bar", min_width=60)
                    last = gr.Number(4, label="To bar", precision=0, minimum=1, elem_id="last-bar", min_width=60)
                parts = part_ticks("Only these parts", "renew-parts", "None ticked: all of them.")
                renew = gr.Button("Regenerate", size="md", elem_id="regenerate", elem_classes="makes", min_width=0)
    return Bench(more, go_on, first, last, parts, renew)


def part_ticks(label: str, elem_id: str, info: str | None = None) -> gr.CheckboxGroup:
    """One tick for each part, none set."""
    choices = [(part.capitalize(), part) for part in PARTS]
    return gr.CheckboxGroup(choices, value=[], label=label, info=info, elem_id=elem_id, elem_classes="ticks")
