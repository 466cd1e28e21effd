"""``evaluate``: how good the studio is, in numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from musicgen_ui.cli import evaluate_composers, evaluate_control, evaluate_synth
from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.errors import RequestError

COUNT = 4096


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser and those of its subjects."""
    parser = commands.add_parser("evaluate", help="measure quality", description=__doc__)
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    clips = subjects.add_parser("clips", help="60 clips: tempo, key, hygiene, time, and sanity beside held-out songs")
    clips.add_argument("--data", type=Path, metavar="DIR", help="what prepare wrote; without it, no held-out songs")
    clips.add_argument(
        "--tempos", type=whole(1, COUNT), default=20, metavar="N", help="tempos, 60 to 180 BPM (default: 20)"
    )
    clips.add_argument(
        "--seeds", type=whole(1, COUNT), default=3, metavar="N", help="seeds for each tempo (default: 3)"
    )
    clips.add_argument("--bars", type=whole(1, 128), default=16, metavar="N", help="length of each clip (default: 16)")
    add_report_option(clips, "clips")
    add_engine_options(clips)
    clips.set_defaults(run=run_clips)
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
    add_report_option(listener, "listener")
    listener.set_defaults(run=run_listener)
    composers = evaluate_composers.add(subjects)
    add_report_option(composers, "composers")
    control = evaluate_control.add(subjects)
    add_report_option(control, "control")
    synth = evaluate_synth.add(subjects)
    add_report_option(synth, "synth")


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


def run_clips(args: argparse.Namespace) -> None:
    """Make the clips, judge them, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.training.evaluate import clip_recipes, evaluate_clips

    store = None if args.data is None else PieceStore(prepared(args.data))
    recipes = list(clip_recipes(args.tempos, args.seeds, args.bars))
    studio = load_studio(args)
    with tqdm(total=len(recipes), unit="clip", disable=None) as bar:
        report = evaluate_clips(studio.generate, recipes, store, lambda done, total: bar.update())
    report["checkpoints"] = studio.checkpoints
    write_report(args.report, report)
    print_clips(report)


def run_listener(args: argparse.Namespace) -> None:
    """Calibrate the meter: play known scores, print how far the Listener is off."""
    from tqdm import tqdm

    from musicgen_ui.cli.player import soundfont_player
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.engine.listen import listen
    from musicgen_ui.training import evaluate_listener

    store = None if args.data is None else PieceStore(prepared(args.data))
    play = soundfont_player(args.soundfont)

    with tqdm(unit="clip", disable=None) as bar:
        report = evaluate_listener.run(
            None, listen, store=store, play=play, clips=args.clips, hook=lambda kind, done, total: bar.update()
        )
    write_report(args.report, report)
    print_listener(report)


def print_listener(report: dict[str, Any]) -> None:
    """A column a kind of clip, a row a number."""
    kinds = [kind for kind in report if kind != "no music"]
    columns = [
        {
            f"{group} {name}": value
            for group in ("tempo", "key", "spearman")
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


def print_clips(report: dict[str, Any]) -> None:
    """The report as tables."""
    tempo, key, hygiene = report["tempo"], report["key"], report["hygiene"]
    rows = [(f"tempo {name}", f"{share:.1%}") for name, share in tempo.items()]
    rows += [("key exact", f"{key['exact']:.1%}"), ("key, mir_eval weighted", f"{key['weighted']:.3f}")]
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
