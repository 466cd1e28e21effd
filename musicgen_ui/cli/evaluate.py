"""``evaluate``: how good the studio is, in numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from musicgen_ui.cli import (
    evaluate_accompaniment,
    evaluate_clips,
    evaluate_composers,
    evaluate_control,
    evaluate_form,
    evaluate_genre,
    evaluate_match,
    evaluate_similar,
    evaluate_synth,
    evaluate_taste,
    evaluate_variations,
)
from musicgen_ui.cli.arguments import whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.errors import RequestError

COUNT = 4096


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser and those of its subjects."""
    parser = commands.add_parser("evaluate", help="measure quality", description=__doc__)
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    add_report_option(evaluate_accompaniment.add(subjects), "accompaniment")
    clips = evaluate_clips.add(subjects)
    add_report_option(clips, "clips")
    listener = subjects.add_parser("listener", help="what the Listener hears of audio whose score is known")
    listener.add_argument(
        "--data", type=Path, metavar="DIR", help="what prepare wrote; without it, synthetic audio only"
    )
    listener.add_argument(
        "--clips", type=whole(1, COUNT), default=100, metavar="N", help="clips of each kind (default: 100)"
    )
    listener.add_argument(
        "--soundfont", type=Path, metavar="FILE", help="SoundFont to play (default: the embedded one)"
    )
    listener.add_argument(
        "--neural", action="store_true", help="also clips of the studio's composers and its neural synthesizer"
    )
    add_report_option(listener, "listener")
    listener.set_defaults(run=run_listener)
    composers = evaluate_composers.add(subjects)
    add_report_option(composers, "composers")
    control = evaluate_control.add(subjects)
    add_report_option(control, "control")
    add_report_option(evaluate_form.add(subjects), "form")
    add_report_option(evaluate_genre.add(subjects), "genre")
    add_report_option(evaluate_match.add(subjects), "match")
    add_report_option(evaluate_similar.add(subjects), "similar")
    synth = evaluate_synth.add(subjects)
    add_report_option(synth, "synth")
    add_report_option(evaluate_taste.add(subjects), "taste")
    add_report_option(evaluate_variations.add(subjects), "variations")


def add_report_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Where the JSON beside the table goes."""
    path = Path("reports") / f"{name}.json"
    parser.add_argument("--report", type=Path, default=path, metavar="FILE", help=f"JSON to write (default: {path})")


def prepared(folder: Path) -> Path:
    """``folder``, if ``prepare`` has written there.

    Raises:
        RequestError: it has not.
    """
    if not (folder / "index.jsonl").is_file():
        raise RequestError("--data", f"{folder} holds no prepared pieces; run the prepare command first")
    return folder


def run_listener(args: argparse.Namespace) -> None:
    """Calibrate the meter: play known scores, print how far the Listener is off."""
    from functools import partial

    from tqdm import tqdm

    from musicgen_ui.cli.player import neural_player, soundfont_player, studio_writer
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.engine.listen import listen
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.scale import load_scales
    from musicgen_ui.training import evaluate_listener

    store = None if args.data is None else PieceStore(prepared(args.data))
    play = soundfont_player(args.soundfont)
    scales = load_scales(CHECKPOINTS / "measures.json")

    with tqdm(unit="clip", disable=None) as bar:
        report = evaluate_listener.run(
            None,
            partial(listen, scales=scales),
            store=store,
            play=play,
            neural=neural_player(None, scales) if args.neural else None,
            write=studio_writer(None) if args.neural else None,
            score_scales=scales["score"],
            clips=args.clips,
            hook=lambda kind, done, total: bar.update(),
        )
    write_report(args.report, report)
    print_listener(report)


def print_listener(report: dict[str, Any]) -> None:
    """A column a kind of clip, a row a number."""
    kinds = [kind for kind in report if kind != "no music"]
    columns = [
        {
            f"{group} {name}": value
            for group in ("tempo", "key", "spearman", "error", "80th percentile")
            for name, value in report[kind][group].items()
        }
        for kind in kinds
    ]
    rows = [
        (name, *("-" if column.get(name) is None else f"{column[name]:.3f}" for column in columns))
        for name in dict.fromkeys(name for column in columns for name in column)
    ]
    print_table(("", *(f"{kind} ({report[kind]['clips']})" for kind in kinds)), rows)
    print()
    print_table(("no music", "refused"), [(name, f"{share:.0%}") for name, share in report["no music"].items()])
