"""The meters as HTML: asked tick, tolerance band and heard bar for the eye, the same in words for the ear."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from musicgen_ui.ui.meters import Meter, percents, summary

SHADES = ("one", "two", "three")
"""Classes of the likeliest genres' stretches, the likeliest first."""


def meters_html(rows: list[Meter]) -> str:
    """The rows as a list, under a line that sums them up."""
    return (
        '<section class="meters" aria-label="Asked and heard">'
        '<h3>Asked <i class="tick"></i> ± tolerance <i class="band"></i> and heard <i class="bar"></i>'
        f'<small>measured on the finished audio</small></h3><p class="summary">{escape(summary(rows))}</p>'
        f"<ul>{''.join(map(_row, rows))}</ul></section>"
    )


def _row(meter: Meter) -> str:
    heard = f'<span class="heard"><span class="sr">heard </span>{escape(meter.heard)}</span>' if meter.heard else ""
    within = f'<span class="sr"> plus or minus {escape(meter.tolerance)}</span>' if meter.tolerance else ""
    return (
        f'<li class="{meter.grade}"><b>{escape(meter.name)}</b>{_track(meter)}'
        f'<span class="values"><span class="asked"><span class="sr">asked </span>{escape(meter.asked)}{within}</span>'
        f"{'<i aria-hidden=true>→</i>' if heard else ''}{heard}</span>{_verdict(meter)}</li>"
    )


def _track(meter: Meter) -> str:
    if meter.shares:
        return f'<span class="track shares" aria-hidden="true">{_stretches(meter.shares)}</span>'
    marks = ""
    if meter.band is not None:
        low, high = meter.band
        marks += f'<i class="band" style="left:{100 * low:.1f}%;right:{100 * (1 - high):.1f}%"></i>'
    if meter.hear is not None:
        marks += f'<i class="bar" style="width:{100 * meter.hear:.1f}%"></i>'
    if meter.ask is not None:
        marks += f'<i class="tick" style="left:{100 * meter.ask:.1f}%"></i>'
    return f'<span class="track" aria-hidden="true">{marks}</span>' if marks else '<span class="notrack"></span>'


def _stretches(shares: Mapping[str, float]) -> str:
    largest = sorted(shares.items(), key=lambda item: -item[1])[: len(SHADES)]
    return "".join(
        f'<i class="{shade}" style="width:{100 * share:.1f}%"></i>'
        for shade, (_, share) in zip(SHADES, largest, strict=False)
    )


def _verdict(meter: Meter) -> str:
    words = escape(meter.verdict)
    if meter.why:
        # Focusable, so that the reason is there for a keyboard and a finger too.
        return f'<em><span class="why" tabindex="0">{words}<span role="tooltip">{escape(meter.why)}</span></span></em>'
    if meter.shares:
        words += f": {escape(percents(meter.shares))}"
    return f"<em>{words}</em>"
