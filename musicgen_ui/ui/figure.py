"""A figure of a clip as HTML: labels at the left, the picture along time, and what its colours mean.

The picture is as wide as the page makes it: the page lays all figures of a clip on one time axis and zooms into them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from PIL import Image

PER_SECOND = 100
MOST = 16_000
"""Columns of a picture in a second, and in a whole clip: browsers draw no wider ones."""


@dataclass(frozen=True)
class Figure:
    """What stands in a figure.

    Attributes:
        kind: its name in an address.
        says: what a screen reader is told of it.
        seconds: length of its time axis.
        height: of the picture in pixels.
        picture: HTML that fills any width.
        labels: (share from the top in [0, 1], text) for the axis at the left.
        unit: of the labels.
        key: HTML that explains the colours.
    """

    kind: str
    says: str
    seconds: float
    height: int
    picture: str
    labels: Sequence[tuple[float, str]] = ()
    unit: str = ""
    key: str = ""


def figure_html(figure: Figure) -> str:
    """The figure. Texts are escaped; ``picture`` and ``key`` are HTML already."""
    labels = "".join(f'<span style="top:{100 * at:.2f}%">{escape(text)}</span>' for at, text in figure.labels)
    unit = f"<b>{escape(figure.unit)}</b>" if figure.unit else ""
    return (
        f'<figure class="figure figure-{figure.kind}" data-seconds="{figure.seconds:.4f}" role="img" '
        f'aria-label="{escape(figure.says, quote=True)}">'
        f"<figcaption>{figure.key}</figcaption>"
        f'<div class="scale-left" style="height:{figure.height}px" aria-hidden="true">{unit}{labels}</div>'
        f'<div class="picture" style="height:{figure.height}px">{figure.picture}</div></figure>'
    )


def columns(samples: int, sample_rate: int) -> int:
    """How many columns the picture of a clip has."""
    return int(np.clip(round(PER_SECOND * samples / sample_rate), 1, MOST))


def hop(samples: int, sample_rate: int) -> int:
    """Samples between two columns."""
    return max(1, round(samples / columns(samples, sample_rate)))


def image_html(values: np.ndarray, colours: str) -> str:
    """(rows, columns) values in [0, 1] as a picture in the 256 colours of a map; row 0 lies at the bottom."""
    indices = np.rint(255 * np.clip(values[::-1], 0.0, 1.0)).astype(np.uint8)
    image = Image.fromarray(indices, mode="L")
    image.putpalette(matplotlib.colormaps[colours](np.arange(256), bytes=True)[:, :3].tobytes())
    out = io.BytesIO()
    image.save(out, format="PNG")
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'<img alt="" draggable="false" src="data:image/png;base64,{data}">'


def scale_html(low: str, high: str, colours: str) -> str:
    """The colours of a map between the two values that they stand for."""
    stops = ",".join(to_hex(colour) for colour in matplotlib.colormaps[colours](np.linspace(0, 1, 9)))
    bar = f'<i style="background:linear-gradient(90deg,{stops})"></i>'
    return f'<span class="scale" aria-hidden="true"><span>{escape(low)}</span>{bar}<span>{escape(high)}</span></span>'
