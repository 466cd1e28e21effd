"""``evaluate clips``: clips judged from their audio, and their scores beside held-out songs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, Recipe

COUNT = 4096


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("clips", help="60 clips: tempo, key, hygiene, time, and sanity beside held-out songs")
    default = Recipe()
    parser.add_argument("--data", type=Path, metavar="DIR", help="what prepare wrote; without it, no held-out songs")
    parser.add_argument(
        "--tempos", type=whole(1, COUNT), default=20, metavar="N", help="tempos, 60 to 180 BPM (default: 20)"
    )
    parser.add_argument(
        "--seeds", type=whole(1, COUNT), default=3, metavar="N", help="seeds for each tempo (default: 3)"
    )
    parser.add_argument(
        "--clips", type=whole(1, COUNT), metavar="N", help="so many clips instead, of random sliders, keys and genres"
    )
    parser.add_argument("--bars", type=whole(1, 128), default=16, metavar="N", help="length of each clip (default: 16)")
    parser.add_argument("--composer", choices=COMPOSERS, default=default.composer, help=f"default: {default.composer}")
    parser.add_argument("--synth", choices=SYNTHS, default=default.synth, help=f"default: {default.synth}")
    for name in ("takes", "rounds"):
        low, high = LIMITS[name]
        value = getattr(default, name)
        parser.add_argument(
            f"--{name}", type=whole(low, high), default=value, metavar="N", help=f"of each clip (default: {value})"
        )
    parser.add_argument(
        "--listener", type=Path, metavar="FILE", help="report of evaluate listener, whose tempo and key stand beside"
    )
    add_engine_options(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make the clips, judge them, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.training.evaluate import clip_recipes, evaluate_clips, random_recipes

    store = None if args.data is None else PieceStore(prepared(args.data))
    ceiling = {} if args.listener is None else listener_ceiling(args.listener)
    recipe = Recipe(bars=args.bars, composer=args.composer, synth=args.synth, takes=args.takes, rounds=args.rounds)
    recipes = list(
        clip_recipes(args.tempos, args.seeds, recipe) if args.clips is None else random_recipes(args.clips, recipe)
    )
    studio = load_studio(args)
    with tqdm(total=len(recipes), unit="clip", disable=None) as bar:
        report = evaluate_clips(studio.generate, recipes, store, lambda done, total: bar.update())
    report |= {"checkpoints": studio.checkpoints, "listener": ceiling}
    write_report(args.report, report)
    print_clips(report)


def listener_ceiling(path: Path) -> dict[str, dict[str, float]]:
    """What the Listener reaches on audio whose score is known: kind of clip to tempo and key shares.

    Raises:
        RequestError: the file is no report of ``evaluate listener``.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return {
            kind: {"tempo within 4 %": float(entry["tempo"]["exact"]), "key exact": float(entry["key"]["exact"])}
            for kind, entry in report.items()
            if isinstance(entry, dict) and "tempo" in entry and "key" in entry
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RequestError("--listener", f"{path} is no report of evaluate listener") from None


def print_clips(report: dict[str, Any]) -> None:
    """The report as tables."""
    tempo, key, hygiene = report["tempo"], report["key"], report["hygiene"]
    rows = [(f"tempo {name}", f"{share:.1%}") for name, share in tempo.items()]
    if first := report.get("first"):
        rows += [
            ("tempo within 4 %, first try", f"{first['tempo']:.1%}"),
            ("key exact, first try", f"{first['key']:.1%}"),
        ]
    rows += [("key exact", f"{key['exact']:.1%}"), ("key, mir_eval weighted", f"{key['weighted']:.3f}")]
    rows += [
        (f"  the Listener on {kind}: {name}", f"{share:.1%}")
        for kind, entry in report.get("listener", {}).items()
        for name, share in entry.items()
    ]
    rows += [("clips without fault", f"{hygiene['clips without fault']} of {report['clips']}")]
    rows += [(f"  fault: {name}", str(count)) for name, count in hygiene["faults"].items()]
    rows += [
        ("largest DC", f"{hygiene['largest dc']:.1e}"),
        ("highest true peak", f"{hygiene['highest true peak (dBTP)']:.2f} dBTP"),
        ("loudness", "{:.2f} to {:.2f} LUFS".format(*hygiene["loudness (LUFS)"])),
        ("longest silence", f"{hygiene['longest silence (s)']:.2f} s"),
    ]
    print_table(("clips", ""), rows)
    times = [(stage, f"{t['median']:.2f}", f"{t['slowest']:.2f}") for stage, t in report["seconds"].items()]
    print()
    print_table(("seconds", "median", "slowest"), times)
    if not report["sanity"]:
        return
    columns = ("p5", "p50", "p95", "median", "mean")
    rows = [
        (
            row["statistic"],
            *(f"{row[column]:.3g}" for column in columns),
            "yes" if row["inside"] else "NO",
            f"{row['share inside']:.0%}",
        )
        for row in report["sanity"]
    ]
    sections = max(row["sections"] for row in report["sanity"])
    header = (
        f"{sections} held-out sections | clips",
        "5 %",
        "50 %",
        "95 %",
        "median",
        "mean",
        "inside",
        "clips inside",
    )
    print()
    print_table(header, rows)
