"""The picture of obedience: what is heard of every slider over what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musicgen_ui.errors import RequestError
from musicgen_ui.style import SLIDERS
from musicgen_ui.training.control_design import SHARED
from musicgen_ui.training.evaluate_control import spearman

COLUMNS = 4
FIRST, KEPT = "#b0682a", "#1f5fa8"
"""Colours of the first try and of the kept take: told apart by everybody, and as grey tones."""

BAND = "#e8ecef"


def draw_control(path: Path, rows: Sequence[Mapping[str, Any]], tolerance: Mapping[str, float]) -> None:
    """Writes a PNG with a panel a slider: medians and quartiles at each level, the diagonal and its tolerance.

    Args:
        path: file to write.
        rows: of one composer with one synthesizer, see ``evaluate_control.row_of``.
        tolerance: slider to its largest miss.

    Raises:
        RequestError: there is nothing to draw, or the file cannot be written.
    """
    sliders = [key for key in SLIDERS if any(row["moved"] in (key, SHARED) for row in rows)]
    if not sliders:
        raise RequestError("--figure", "no clip moves a slider")
    corrected = any(row["kinds"] for row in rows)
    lines = -(-len(sliders) // COLUMNS)
    columns = min(COLUMNS, len(sliders))
    figure = Figure(figsize=(2.45 * columns + 0.4, 2.5 * lines + 0.7), dpi=150, layout="constrained", facecolor="white")
    axes = figure.subplots(lines, columns, squeeze=False)
    for key, axis in zip(sliders, axes.flat, strict=False):
        moving = [row for row in rows if row["moved"] in (key, SHARED)]
        _frame(axis, key, tolerance[key])
        _curve(axis, key, moving, "first", FIRST)
        if corrected:
            _curve(axis, key, moving, "heard", KEPT)
    for axis in axes.flat[len(sliders) :]:
        axis.set_axis_off()
    handles = [axes[0, 0].plot([], [], color=FIRST, marker="o", markersize=4, label="first try")[0]]
    if corrected:
        handles.append(axes[0, 0].plot([], [], color=KEPT, marker="o", markersize=4, label="closed loop")[0])
    handles.append(axes[0, 0].fill_between([], [], [], color=BAND, label="within tolerance"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=10)
    figure.supxlabel("asked", fontsize=11)
    figure.supylabel("heard in the finished audio (median, middle half)", fontsize=11)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", pil_kwargs={"optimize": True})
    except OSError as error:
        raise RequestError("--figure", f"{path} cannot be written ({error.strerror or error})") from None


def _frame(axis: Axes, key: str, tolerance: float) -> None:
    """Identity, tolerance and labels of a slider's panel."""
    slider = SLIDERS[key]
    line = np.array([slider.low, slider.high])
    half = tolerance * line if key == "tempo" else np.full(2, tolerance * (slider.high - slider.low))
    axis.fill_between(line, line - half, line + half, color=BAND, linewidth=0)
    axis.plot(line, line, color="#9aa3ab", linewidth=1)
    axis.set_title(slider.name + (f" ({slider.unit})" if key == "tempo" else ""), fontsize=11)
    axis.set_xlim(slider.low, slider.high)
    axis.set_ylim(slider.low, slider.high)
    ticks = np.linspace(slider.low, slider.high, 3)
    labels = [f"{tick:g}" for tick in ticks]
    axis.set_xticks(ticks, labels, fontsize=9)
    axis.set_yticks(ticks, labels, fontsize=9)
    axis.set_aspect("equal")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _curve(axis: Axes, key: str, rows: Sequence[Mapping[str, Any]], when: str, colour: str) -> None:
    """Median and middle half of what was heard at each level, and the rank correlation."""
    known: dict[float, list[float]] = {}
    for row in rows:
        if row[when][key] is not None:
            known.setdefault(row["asked"][key], []).append(row[when][key])
    if not known:
        return
    asked = np.array(sorted(known))
    low, middle, high = np.array([np.percentile(known[value], (25, 50, 75)) for value in asked]).T
    axis.fill_between(asked, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(asked, middle, color=colour, marker="o", markersize=3, linewidth=1.5, clip_on=False)
    value = spearman([row["asked"][key] for row in rows], [row[when][key] for row in rows])
    if value is not None:
        height = 0.97 if when == "first" else 0.87
        axis.text(0.04, height, f"{value:.2f}", color=colour, fontsize=9, va="top", transform=axis.transAxes)
