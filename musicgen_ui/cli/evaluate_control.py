"""``evaluate control``: moves the sliders, listens, and says how they are obeyed."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import add_engine_options, names, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, Recipe
from musicgen_ui.style import SLIDERS

_COUNT = 4096
_BATCH = 16
"""Clips that are composed at a time; with rounds, each is made alone."""


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser(
        "control", help="every slider from end to end: asked, heard, cross-talk, and what the closed loop gains"
    )
    parser.add_argument("--levels", type=whole(3, 101), default=9, metavar="N", help="of each slider (default: 9)")
    parser.add_argument("--seeds", type=whole(1, _COUNT), default=30, metavar="N", help="for each level (default: 30)")
    parser.add_argument("--bars", type=whole(1, 128), default=16, metavar="N", help="length of each clip (default: 16)")
    parser.add_argument(
        "--design",
        choices=("sweep", "shared"),
        default="sweep",
        help="sweep: levels times seeds clips for each slider, the others held; shared: so many in all, in which all "
        "sliders move independently (default: sweep)",
    )
    for option, known in (("sliders", SLIDERS), ("composer", COMPOSERS), ("synth", SYNTHS)):
        default = ",".join(known) if option == "sliders" else next(iter(known))
        parser.add_argument(f"--{option}", default=default, metavar="NAME,…", help=f"default: {default}")
    parser.add_argument(
        "--takes", type=whole(*LIMITS["takes"]), default=1, metavar="N", help="scores of the first try (default: 1)"
    )
    parser.add_argument(
        "--rounds", type=whole(*LIMITS["rounds"]), default=0, metavar="N", help="corrections after it (default: 0)"
    )
    parser.add_argument(
        "--plain", action="store_true", help="tell the models what was asked, not what the shipped curves advise"
    )
    parser.add_argument(
        "--workers", type=whole(1, 64), default=1, metavar="N", help="processes, of one thread each (default: 1)"
    )
    parser.add_argument(
        "--rows",
        type=Path,
        default=Path("reports") / "control.jsonl",
        metavar="FILE",
        help="one line a clip, to which a run that was stopped is resumed (default: reports/control.jsonl)",
    )
    parser.add_argument("--figure", type=Path, metavar="FILE", help="picture of asked and heard to write (PNG)")
    parser.add_argument(
        "--ship", type=Path, metavar="FILE", help="curves to write, or to add to what is there; needs --plain"
    )
    add_engine_options(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make what is missing, print the tables, write report, figure and curves."""
    from musicgen_ui.cli.control_clips import make_rows
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.engine.misses import TOLERANCE
    from musicgen_ui.engine.response import LEVELS
    from musicgen_ui.training.control_design import ControlRows, control_clips
    from musicgen_ui.training.evaluate_control import summarise

    sliders = names("--sliders", args.sliders, SLIDERS)
    pairs = [
        (composer, synth)
        for composer in names("--composer", args.composer, COMPOSERS)
        for synth in names("--synth", args.synth, SYNTHS)
    ]
    if args.ship is not None and (args.levels != LEVELS or not args.plain):
        raise RequestError("--ship", f"needs --plain and --levels {LEVELS}")
    rows = ControlRows(args.rows, _settings(args, args.checkpoints or CHECKPOINTS))
    designs = {
        pair: control_clips(args.design, _recipe(args, *pair), sliders, args.levels, args.seeds) for pair in pairs
    }
    missing = [clip for clips in designs.values() for clip in clips if clip.id not in rows.rows]
    make_rows(args, missing, rows.add, batch=_BATCH)
    found = {pair: [rows.rows[clip.id] for clip in clips] for pair, clips in designs.items()}
    report = {" x ".join(pair): summarise(made, TOLERANCE) for pair, made in found.items()}
    write_report(args.report, {"settings": _settings(args, args.checkpoints or CHECKPOINTS), **report})
    for name, summary in report.items():
        print_control(name, summary)
    if args.figure is not None:
        _draw(args.figure, found, TOLERANCE)
    if args.ship is not None:
        ship(args.ship, found, about={"bars": args.bars, "clips": len(next(iter(found.values()))), "takes": args.takes})


def ship(path: Path, found: dict[tuple[str, str], list[dict[str, Any]]], about: dict[str, Any]) -> None:
    """Writes the curves of every pair into ``control.json``, beside those that are there.

    Raises:
        RequestError: the file that is there is damaged, or it cannot be written.
    """
    from musicgen_ui.engine.misses import CORRECTED
    from musicgen_ui.engine.response import Curve, Response, Responses
    from musicgen_ui.training.evaluate_control import curves

    table = {composer: dict(synths) for composer, synths in Responses.load(path).table.items()}
    for (composer, synth), rows in found.items():
        measured = {
            key: Curve(*(tuple(float(v) for v in column) for column in columns.T[1:]))
            for key, columns in curves(rows).items()
            if key in CORRECTED
        }
        table.setdefault(composer, {})[synth] = Response(measured)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Responses(table).save(path, **about)
    except OSError as error:
        raise RequestError("--ship", f"{path} cannot be written ({error.strerror or error})") from None


def print_control(name: str, summary: dict[str, Any]) -> None:
    """One composer with one synthesizer: a row a slider, and what concerns all clips."""
    inside, talk = summary["inside"], summary["cross-talk"]
    rows = []
    for key, entry in summary["spearman"].items():
        good = [_share(inside[when]["sliders"].get(key, {}).get("inside")) for when in ("first", "heard")]
        miss = [_number(inside[when]["sliders"].get(key, {}).get("miss")) for when in ("first", "heard")]
        worst = [_worst(talk[when].get(key, {})) for when in ("first", "heard")]
        values = [_number(entry.get(column)) for column in ("first", "heard", "notes", "ear")]
        rows.append((key, *values, *good, *miss, *worst))
    header = (
        f"{name}, {summary['clips']} clips",
        "first",
        "kept",
        "asked-notes",
        "notes-ear",
        "inside",
        "kept",
        "miss",
    )
    print_table((*header, "kept", "worst cross-talk (chance)", "kept"), rows)
    print()
    lines = [
        (
            name,
            *(_share(value(summary, when)) for when in ("first", "heard")),
        )
        for name, value in {
            "sliders inside tolerance": lambda s, when: s["inside"][when]["mean"],
            "clips with all inside": lambda s, when: s["inside"][when]["clips"],
            "tempo within 4 %": lambda s, when: s["tempo"][when]["exact"],
            "tempo an octave off": lambda s, when: s["tempo"][when]["octave"],
            "tempo wrong": lambda s, when: s["tempo"][when]["wrong"],
            "tempo unheard": lambda s, when: s["tempo"][when]["unheard"],
            "key exact": lambda s, when: s["key"][when],
        }.items()
    ]
    print_table(("", "first", "kept"), lines)
    seconds, rounds = summary["seconds"], summary["rounds"]
    print(
        f"seconds a clip: {seconds['first']:.2f} first, {seconds['all']:.2f} in all ({seconds['times']:.2f} times); "
        f"rounds with other notes {rounds['notes']:.2f}, with another mix {rounds['mix']:.2f}\n"
    )


def _draw(path: Path, found: dict[tuple[str, str], list[dict[str, Any]]], tolerance: dict[str, float]) -> None:
    from musicgen_ui.training.control_figure import draw_control

    for pair, rows in found.items():
        target = path if len(found) == 1 else path.with_name(f"{path.stem}-{'-'.join(pair)}{path.suffix}")
        draw_control(target, rows, tolerance)


def _recipe(args: argparse.Namespace, composer: str, synth: str) -> Recipe:
    # A written ending is nothing that a slider asks for.
    return Recipe(bars=args.bars, composer=composer, synth=synth, takes=args.takes, rounds=args.rounds, ending="open")


def _settings(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What all rows of a file have in common."""
    try:
        models = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise RequestError("--checkpoints", f"{folder} holds no models ({error.strerror or error})") from None
    return {
        "bars": args.bars,
        "levels": args.levels,
        "seeds": args.seeds if args.design == "shared" else None,
        "design": args.design,
        "plain": args.plain,
        "models": models,
    }


def _worst(others: dict[str, dict[str, float]]) -> str:
    """The other slider that moves most and what chance alone may do, such as ``energy 0.12 (0.06)``."""
    if not others:
        return "-"
    name = max(others, key=lambda key: abs(others[key]["value"]))
    return f"{name} {abs(others[name]['value']):.2f} ({others[name]['noise']:.2f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
