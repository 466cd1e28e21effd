"""The waveform, with the play button at its left and the time above it: the clip's own transport."""

from __future__ import annotations

import numpy as np

STROKES = 170
"""Vertical strokes across the picture: one for every two pixels of a phone."""


def peaks(samples: np.ndarray, count: int = STROKES) -> np.ndarray:
    """Largest absolute value of each of ``count`` equal stretches, scaled so that the loudest is 1.

    Args:
        samples: (channels, n) audio, n >= 1.
        count: number of stretches.

    Returns:
        (count,) float in [0, 1]; zeros for silence.
    """
    loud = np.abs(samples).max(axis=0)
    edges = np.linspace(0, len(loud), count, endpoint=False).astype(int)
    heights = np.maximum.reduceat(loud, edges)
    top = float(heights.max())
    return heights / top if top > 0 else np.zeros(count)


def waveform_html(samples: np.ndarray, sample_rate: int, *, looping: bool = False) -> str:
    """The figure: what has been played is drawn in the accent colour by ``studio.js``.

    Args:
        samples: (channels, n) audio.
        sample_rate: Hz.
        looping: whether the clip is meant to be repeated.
    """
    seconds = samples.shape[1] / sample_rate
    strokes = "".join(
        f"M{x + 0.5} {50 - max(1.0, 46 * height):.1f}V{50 + max(1.0, 46 * height):.1f}"
        for x, height in enumerate(peaks(samples))
    )
    svg = f'<svg viewBox="0 0 {STROKES} 100" preserveAspectRatio="none" aria-hidden="true"><path d="{strokes}"/></svg>'
    return (
        f'<figure class="waveform timeline"{" data-loop=yes" if looping else ""}><div class="plot">'
        '<button type="button" class="play" aria-label="Play or pause"><i></i></button>'
        f'<div class="seek" role="slider" tabindex="0" aria-label="Position in the clip" aria-valuemin="0" '
        f'aria-valuemax="{seconds:.1f}" aria-valuenow="0">{svg}<div class="played">{svg}</div></div>'
        '<i class="playhead"></i></div>'
        f'<figcaption><span class="clock"><output>0:00</output> / {_clock(seconds)}</span>'
        '<button type="button" class="loop" aria-pressed="false">Loop</button>'
        '<label class="volume">Volume<input type="range" min="0" max="1" step="0.02" value="1"></label>'
        "</figcaption></figure>"
    )


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
