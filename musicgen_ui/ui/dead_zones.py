"""Where a slider does nothing: stretches that the chosen composer and synthesizer do not answer, hatched on its track.

It is a style sheet in the page, rewritten when the composer or the synthesizer changes: the sliders stay Gradio's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from musicgen_ui.style import SLIDERS
from musicgen_ui.ui.words import chinese

Zones = Mapping[str, Sequence[tuple[float, float]]]
"""Slider to the stretches (low, high) in its own unit."""

THUMB = 18
"""Width of a slider's thumb in pixels: its middle runs from half of it to half of it before the end."""


def zones_html(zones: Zones) -> str:
    """The style sheet for gr.HTML; empty where every slider answers everywhere.

    Args:
        zones: stretches of any slider; names that are no slider and stretches outside its range are left out.
    """
    rules = [_rule(name, spans) for name in SLIDERS if (spans := _inside(name, zones.get(name, ())))]
    return f"<style>{''.join(rules)}</style>" if rules else ""


def zone_words(name: str, spans: Sequence[tuple[float, float]]) -> str:
    """One sentence for the slider's tooltip."""
    slider = SLIDERS[name]

    def words(low: float, high: float) -> str:
        if low <= slider.low:
            return f"below {high:.4g}"
        return f"above {low:.4g}" if high >= slider.high else f"from {low:.4g} to {high:.4g}"

    places = " and ".join(words(*span) for span in spans)
    return f"Hatched, {places}: what was chosen to write and play hardly answers there."


def _inside(name: str, spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The stretches cut to the slider's range, in order, without empty ones."""
    slider = SLIDERS[name]
    cut = sorted((max(low, slider.low), min(high, slider.high)) for low, high in spans)
    return [(low, high) for low, high in cut if math.isfinite(low + high) and low < high]


def _rule(name: str, spans: Sequence[tuple[float, float]]) -> str:
    slider = SLIDERS[name]
    size = slider.high - slider.low
    layers = ",".join(_layer((low - slider.low) / size, (high - slider.low) / size) for low, high in spans)
    words = zone_words(name, spans)
    return (
        f'#{name}{{--dead:{layers}}}#{name} .info-text::after{{content:" {words}"}}'
        f'html:lang(zh) #{name} .info-text::after{{content:"{chinese(words)}"}}'
    )


def _layer(low: float, high: float) -> str:
    """A background layer from ``low`` to ``high``, both shares of the way of the thumb's middle.

    A stretch that touches an end of the slider reaches the end of its track. CSS counts a background's position in
    shares of what is left beside it; a pixel part takes care of the thumb.
    """
    left = (100 * low, THUMB * (0.5 - low)) if low > 0 else (0.0, 0.0)
    right = (100 * high, THUMB * (0.5 - high)) if high < 1 else (100.0, 0.0)
    share, pixels = (right[0] - left[0]) / 100, right[1] - left[1]
    at = left[0] / (1 - share) if share < 1 else 0.0
    shift = left[1] + at / 100 * pixels
    width = f"calc({100 * share:.3f}% + {pixels:.2f}px)"
    return f"var(--hatching) calc({at:.3f}% + {shift:.2f}px) 0/{width} 100% no-repeat"
