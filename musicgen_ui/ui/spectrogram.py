"""The mel spectrogram as a figure: time across, frequency up, level in colour.

Matplotlib draws it through its object interface: no pyplot, so no state that two requests could share. The axes
come out as SVG with real text, whose colour is bound to the page's theme, in a wide and a narrow version of which
the page shows the one that fits: so the text is as readable on a phone. The picture itself is made once, in the
256 colours of its map, and lies under both.
"""

from __future__ import annotations

import base64
import io
import re

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from musicgen_ui.audio.spectral import FLOOR_DB, hz_to_mel, log_mel

COLOURS = "magma"
N_MELS = 128
COLUMNS = 900
"""Most columns of the picture: more than a screen shows of it."""

TOP_HZ = 12_000
"""Upper edge of the picture: above lies little but cymbals, and the notes want the room."""

TICKS_HZ = (500, 1000, 2000, 5000, 10_000)
INK = "#010203"
"""Stands for the theme's text colour until the SVG is written."""

_SIZES = {"wide": (760, 160, 52), "narrow": (360, 160, 46)}
"""Version to (width, height, left margin) in CSS pixels."""

_TOP, _BOTTOM = 4, 34


def mel_columns(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mel spectrogram in dB below its maximum, at most COLUMNS wide; each column keeps the loudest of its frames.

    Args:
        samples: (channels, n) audio.
        sample_rate: Hz.

    Returns:
        (bands up to TOP_HZ, columns) float32 in [-80, 0].
    """
    hop = int(np.clip(samples.shape[1] // COLUMNS, 256, 1024))
    levels = log_mel(samples, sample_rate, hop=hop, n_mels=N_MELS)[: _bands(sample_rate)]
    per_column = -(-levels.shape[1] // COLUMNS)
    return np.maximum.reduceat(levels, np.arange(0, levels.shape[1], per_column), axis=1)


def spectrogram_html(samples: np.ndarray, sample_rate: int) -> str:
    """The figure as HTML.

    Args:
        samples: (channels, n) audio.
        sample_rate: Hz.
    """
    seconds = samples.shape[1] / sample_rate
    picture = base64.b64encode(_png(mel_columns(samples, sample_rate))).decode("ascii")
    versions = "".join(_version(name, seconds, sample_rate) for name in _SIZES)
    label = f"Mel spectrogram of {seconds:.1f} seconds, 0 to {TOP_HZ // 1000} kilohertz, level in decibels"
    return (
        f'<figure class="spectrogram timeline" role="img" aria-label="{label}"><figcaption><b>Spectrogram</b>'
        f'<span class="scale" aria-hidden="true">-{FLOOR_DB:.0f} dB'
        f'<i style="background:linear-gradient(90deg,{_stops()})"></i>0 dB</span></figcaption>'
        f'<div class="plot" style="--picture:url(data:image/png;base64,{picture})">{versions}'
        '<i class="playhead"></i></div></figure>'
    )


def _bands(sample_rate: int) -> int:
    """Number of mel bands up to TOP_HZ; band centres are evenly spaced in mel up to half the sample rate."""
    return min(N_MELS, round(N_MELS * float(hz_to_mel(TOP_HZ) / hz_to_mel(sample_rate / 2))))


def _version(name: str, seconds: float, sample_rate: int) -> str:
    width, height, margin = _SIZES[name]
    box = (
        f"left:{100 * margin / width:.3f}%;top:{100 * _TOP / height:.3f}%;right:0;bottom:{100 * _BOTTOM / height:.3f}%"
    )
    axes = _axes_svg(name, seconds, sample_rate)
    return f'<div class="{name}" aria-hidden="true"><div class="picture" style="{box}"></div>{axes}</div>'


def _png(levels: np.ndarray) -> bytes:
    """Levels in [-80, 0] as a palette PNG, low frequencies at the bottom."""
    indices = np.round((levels[::-1] / FLOOR_DB + 1.0) * 255).astype(np.uint8)
    image = Image.fromarray(indices, mode="L")
    image.putpalette(matplotlib.colormaps[COLOURS](np.arange(256), bytes=True)[:, :3].tobytes())
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def _stops(count: int = 9) -> str:
    """The colour map as CSS gradient stops."""
    return ",".join(to_hex(colour) for colour in matplotlib.colormaps[COLOURS](np.linspace(0, 1, count)))


def _axes_svg(name: str, seconds: float, sample_rate: int) -> str:
    width, height, margin = _SIZES[name]
    figure = Figure(figsize=(width / 72, height / 72))
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    axes = figure.add_axes((margin / width, _BOTTOM / height, 1 - margin / width, 1 - (_TOP + _BOTTOM) / height))
    axes.patch.set_visible(False)
    axes.set_xlim(0, seconds)
    axes.set_ylim(0, float(hz_to_mel(sample_rate / 2)) * _bands(sample_rate) / N_MELS)
    shown = [hz for hz in TICKS_HZ if hz < sample_rate / 2]
    axes.set_yticks(
        [float(hz_to_mel(hz)) for hz in shown], [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in shown]
    )
    axes.set_ylabel("Hz", color=INK, fontsize=11, labelpad=1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=width // 70, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("seconds", color=INK, fontsize=11, labelpad=2)
    axes.tick_params(colors=INK, labelsize=11, length=3, pad=2)
    axes.spines[:].set_visible(False)
    out = io.StringIO()
    # Text stays text; requests are drawn one at a time, so this short change of setting meets no other drawing.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    # Its style element would reach every icon of the page, and its names repeat in the other version.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', svg, count=1).replace(INK, "currentColor")
