"""The line that always says where things stand: ready, waiting, working, done, stopped or wrong.

``data-state`` drives the look of the buttons; ``data-say`` is what a screen reader hears, and changes only when
there is news.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from musicgen_ui.errors import RequestError
from musicgen_ui.ui.work import STAGES, Progress

VERBS = {"compose": "Composing", "synthesize": "Playing", "mix": "Mixing", "listen": "Listening", "draw": "Drawing"}
"""Stage name to what a person reads while it runs."""

NOUNS = {"compose": "compose", "synthesize": "play", "mix": "mix", "listen": "listen", "draw": "save"}

COUNTABLE = 200
"""More steps than this are shown in percent: bars and takes are counted, samples are not."""


def ready() -> str:
    """Before the first clip."""
    return _box("ready", "Ready.", '<p class="line">Ready when you are.</p>')


def picked(name: str, blurb: str) -> str:
    """After a preset was chosen."""
    return _box(
        "ready", f"{name} is set. {blurb}", f'<p class="line"><b>{escape(name)}</b></p><p>{escape(blurb)}</p>'
        '<p class="detail">Press Generate, or change what you like first.</p>',
    )  # fmt: skip


def waiting() -> str:
    """Between the press and the engine's first word: the request is on its way or in the queue."""
    return _box("waiting", "Waiting for the engine.", '<p class="line"><b>Waiting for the engine</b></p>')


def restored() -> str:
    """After the controls were set from a recipe."""
    return _box(
        "ready", "The sliders are as they were.", '<p class="line"><b>The sliders are as they were.</b></p>'
        '<p class="detail">Press Generate to make the clip again, or change what you like first.</p>',
    )  # fmt: skip


def working(progress: Progress, task: str = "") -> str:
    """All stages and how far each is, the time since the start, and what the present stage still needs.

    Args:
        progress: a look at the work.
        task: which one of several it is.
    """
    order = [*STAGES, *(name for name in progress.done if name not in STAGES)]
    rows = "".join(_stage(name, progress) for name in order)
    verb = VERBS.get(progress.now or "", (progress.now or "starting").capitalize())
    left = "" if progress.left is None else f", about {progress.left:.0f} s left"
    which = f"<span>{escape(task)}</span>" if task else ""
    line = f'<p class="line"><b>{escape(verb)}</b>{which}<span class="clock">{progress.seconds:.1f} s{left}</span></p>'
    return _box("working", f"{verb}.", f'{line}<ol class="stages">{rows}</ol>')


def done(seconds: Mapping[str, float], length: float) -> str:
    """How long it took and each stage of it, beside the length of the clip."""
    total = sum(seconds.values())
    if not seconds:
        return _box("done", "Here it is.", '<p class="line"><b>Here it is.</b></p>')
    shares = ", ".join(f"{NOUNS.get(name, name)} {took:.1f}" for name, took in seconds.items())
    pace = f", {length / total:.0f} × real time" if total > 0 and length / total >= 2 else ""
    text = f"{length:.0f} s of music in {total:.1f} s{pace}"
    return _box("done", text, f'<p class="line"><b>{text}</b></p><p class="detail">{escape(shares)} s</p>')


def stopping() -> str:
    """Stop was pressed; the engine lets go at its next step."""
    return _box("stopping", "Stopping.", '<p class="line"><b>Stopping</b></p>')


def stopped() -> str:
    """After Stop; the last clip stays on the page."""
    text = "Stopped. Whatever you had before is still here."
    return _box("stopped", text, f'<p class="line">{text}</p>')


def unreachable() -> str:
    """The request never came to its end: the queue is full, or the server is gone."""
    return _alert("The studio is busy or out of reach. Wait a moment and press Generate again.")


def refused(error: RequestError) -> str:
    """Bad input, in its own words."""
    return _alert(str(error))


def broken(stage: str | None) -> str:
    """The engine failed; the console has the details."""
    where = f" while {VERBS.get(stage, stage).lower()}" if stage else ""
    return _alert(f"Something went wrong{where}. Nothing you had is lost; press Generate to try again.")


def _alert(text: str) -> str:
    return _box("error", text, f'<p class="line" role="alert">{escape(text)}</p>')


def _stage(name: str, progress: Progress) -> str:
    done, total = progress.done.get(name, (0, 0))
    share = min(1.0, done / total) if total > 0 else 0.0
    state = "full" if share >= 1.0 else "now" if name == progress.now else "rest"
    # Samples are too many to count: their share says more.
    count = "" if total <= 1 else f"{done}/{total}" if total <= COUNTABLE else f"{share:.0%}"
    return (
        f'<li class="{state}" style="--share:{share:.3f}"><span>{escape(NOUNS.get(name, name))}</span>'
        f"<small>{count}</small></li>"
    )


def _box(state: str, say: str, inner: str) -> str:
    return f'<div class="status" data-state="{state}" data-say="{escape(say, quote=True)}">{inner}</div>'
