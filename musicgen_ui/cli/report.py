"""What a finished clip looks like in a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Result


@contextmanager
def stage_meter() -> Iterator[Callable[[str, int, int], None]]:
    """A hook that shows the stage on stderr where a person is watching, and keeps quiet where not."""
    watched = sys.stderr.isatty()

    def hook(stage: str, done: int, total: int) -> None:
        if watched:
            print(f"\r\033[K{stage} {100 * done // total} %", end="", file=sys.stderr, flush=True)

    try:
        yield hook
    finally:
        if watched:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def print_result(result: Result, out: Path, *, as_json: bool) -> None:
    """Print ``clip.json``, or the clip in a line and a table of asked and heard."""
    if as_json:
        from musicgen_ui.engine.export import clip_json

        print(json.dumps(clip_json(result), indent=2, ensure_ascii=False))
        return
    score = result.score
    print(
        f"{out / 'clip.wav'}: {score.bars} bars of {score.metre}, {result.clip.seconds:.1f} s, {score.tempo:g} BPM, "
        f"{score.key or 'key unknown'}, seed {result.recipe.seed}"
    )
    from musicgen_ui.engine.misses import outside

    wrong = outside(result.asked, result.heard)
    rows = [
        (key, _shown(asked), _shown(result.heard[key]), "outside tolerance" if key in wrong else "")
        for key, asked in result.asked.items()
    ]
    print_table(("", "asked", "heard", ""), rows)
    if result.gain and result.gain["stopped"] != "switched off":
        print_rounds(result)
    print("seconds: " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in result.seconds.items()))


def print_rounds(result: Result) -> None:
    """What the closed loop tried, and what that was worth."""
    rows = []
    for number, entry in enumerate(result.rounds):
        told = ", ".join(f"{key} {now:.2f}" for key, (_, now) in entry["changed"].items())
        error = "-" if entry["error"] is None else f"{entry['error']:.3f}"
        inside = f"{entry['of'] - len(entry['outside'])} of {entry['of']}"
        kept = "kept" if number == result.gain["kept"] else ""
        rows.append((f"round {number}: {entry['kind']}", error, inside, f"{entry['seconds']:.2f}", kept, told))
    print_table(("", "mean miss", "inside", "seconds", "", "told"), rows)
    print(f"no more rounds: {result.gain['stopped']}")


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Left-aligned names, right-aligned values."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        values = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join([row[0].ljust(widths[0]), *values]).rstrip())


def write_report(path: Path | None, report: dict[str, Any]) -> None:
    """Write a report as JSON where a path is given."""
    if path is None:
        return
    from musicgen_ui.errors import RequestError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(finite(report), indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError("--report", f"{path} cannot be written ({error.strerror or error})") from None


def finite(value: Any) -> Any:
    """The value with null for every number that JSON cannot write, such as the mean of nothing."""
    if isinstance(value, dict):
        return {name: finite(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"
