"""What was tried: one row a round of the closed loop, with what it changed and what that was worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from musicgen_ui.style import SLIDERS

KINDS = {"first": "First try", "notes": "Other notes", "mix": "Another mix"}
STOPPED = {
    "inside tolerance": "It stopped there, because everything heard is inside its tolerance.",
    "little to gain": "It stopped there, because no further round promised to come closer.",
    "nothing was heard": "It stopped there, because nothing could be measured that it could correct.",
}
"""Why the loop ended early, in a sentence."""

LEAST = 0.005
"""Smaller moves of a slider are not told."""


def tried_html(rounds: Sequence[Mapping[str, Any]], gain: Mapping[str, Any]) -> str:
    """The panel; empty where nobody corrected anything and nothing was off.

    Args:
        rounds: of a Result, see :class:`musicgen_ui.engine.closed_loop.Outcome`.
        gain: of the same.
    """
    if not rounds or not gain:
        return ""
    if len(rounds) == 1:
        text = _alone(rounds[0], gain)
        return f'<section class="tried"><p class="hint">{text}</p></section>' if text else ""
    rows = "".join(_row(number, entry, gain["kept"]) for number, entry in enumerate(rounds))
    return (
        '<section class="tried" aria-label="What was tried"><h3>What was tried'
        f'<small>{escape(_worth(len(rounds) - 1, gain))}</small></h3><ol start="0">{rows}</ol>'
        f'<p class="hint">{STOPPED.get(gain["stopped"], "")}</p></section>'
    )


def _alone(entry: Mapping[str, Any], gain: Mapping[str, Any]) -> str:
    """Why there was only one try."""
    wrong = len(entry["outside"])
    if gain["stopped"] != "switched off":
        return "One try: " + STOPPED.get(gain["stopped"], "")[len("It stopped there, ") :] if wrong else (
            "The first try was inside every tolerance: there was nothing to correct."
        )  # fmt: skip
    if not wrong:
        return ""
    what = "One value lies" if wrong == 1 else f"{wrong} values lie"
    return f"{what} outside tolerance. “Correct itself” lets the studio hear that and try again."


def _worth(rounds: int, gain: Mapping[str, Any]) -> str:
    """What the rounds cost, and what they were worth."""
    count = "one round" if rounds == 1 else f"{rounds} rounds"
    if not gain["kept"]:
        return f"{count} in {gain['seconds']:.1f} s; none came closer than the first try"
    inside = " → ".join(str(value) for value in gain["inside"])
    error = " → ".join(_miss(value) for value in gain["error"])
    better = f"off by {error} on average, {inside} of {gain['of']} inside tolerance"
    return f"{count} in {gain['seconds']:.1f} s; round {gain['kept']} kept: {better}"


def _row(number: int, entry: Mapping[str, Any], kept: int) -> str:
    moves = {name: after - before for name, (before, after) in entry["changed"].items() if abs(after - before) >= LEAST}
    changed = [f"{SLIDERS[name].name.lower()} {move:+.2f}".replace("-", "−") for name, move in moves.items()]
    told = ", ".join(changed) or ("as you asked" if number == 0 else "the same settings again")
    kind = KINDS.get(entry["kind"], entry["kind"])
    title = kind if number == 0 else f"Round {number}: {kind.lower()}"
    wrong = ", ".join(SLIDERS[name].name.lower() if name in SLIDERS else name for name in entry["outside"])
    left = f"outside: {wrong}" if wrong else "all inside tolerance"
    off = "not measured" if entry["error"] is None else f"off by {_miss(entry['error'])}"
    mark = '<b class="kept">kept</b>' if number == kept else ""
    return (
        f"<li{' class=kept' if number == kept else ''}><b>{title}</b>"
        f"<span>{escape(told)}; {escape(left)}</span>"
        f'<span class="values">{off}'
        f"<small>{entry['seconds']:.1f} s</small>{mark}</span></li>"
    )


def _miss(error: float | None) -> str:
    return "not measured" if error is None else f"{error:.2f}"
