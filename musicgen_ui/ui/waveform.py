"""The waveform: how far the sound swings, and how strong it is, along the clip."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio.spectral import mono
from musicgen_ui.ui.figure import Figure, figure_html

PER_SECOND = 50
MOST = 12_000
"""Stretches in a second, and in a whole clip."""

HEIGHT = 84
"""Pixels."""


def envelope(samples: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest absolute value and root mean square of equal stretches, scaled so that the loudest peak is 1.

    Args:
        samples: (channels, n) audio, n >= 1.
        count: number of stretches; fewer where there are fewer samples.

    Returns:
        Two (count,) arrays in [0, 1]; zeros for silence.
    """
    loud = np.abs(samples).max(axis=0)
    edges = np.linspace(0, len(loud), min(count, len(loud)), endpoint=False).astype(int)
    heights = np.maximum.reduceat(loud, edges)
    power = np.add.reduceat(np.square(mono(samples), dtype=np.float64), edges)
    body = np.sqrt(power / np.diff(edges, append=len(loud)))
    top = float(heights.max())
    if top <= 0:
        return np.zeros(len(edges)), np.zeros(len(edges))
    return heights / top, np.minimum(body / top, heights / top)


def waveform_figure(samples: np.ndarray, sample_rate: int) -> str:
    """The figure.

    Args:
        samples: (channels, n) audio.
        sample_rate: Hz.
    """
    seconds = samples.shape[1] / sample_rate
    heights, body = envelope(samples, int(np.clip(round(seconds * PER_SECOND), 1, MOST)))
    svg = (
        f'<svg viewBox="0 -100 {len(heights)} 200" width="100%" height="{HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="peak" d="{_outline(heights)}"/>'
        f'<path class="body" d="{_outline(body)}"/></svg>'
    )
    return figure_html(Figure("waveform", f"Waveform of {seconds:.1f} seconds", seconds, HEIGHT, svg))


def _outline(heights: np.ndarray) -> str:
    """A closed line above and below the middle; one unit across for a stretch."""
    tall = np.maximum(1, np.rint(96 * heights)).astype(int)
    above = " ".join(f"{x} {-y}" for x, y in enumerate(tall))
    below = " ".join(f"{x} {y}" for x, y in reversed(tuple(enumerate(tall))))
    last = len(tall)
    return f"M{above} {last} {-tall[-1]} {last} {tall[-1]} {below}Z"
