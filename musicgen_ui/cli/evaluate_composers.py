"""``evaluate composers``: LSTM, WaveNet and counting side by side, beside held-out songs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.errors import RequestError

_COUNT = 4096
_SPLITS = ("train", "validation", "test")


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser(
        "composers", help="the composers side by side: nats, statistics and novelty, beside held-out songs and a bigram"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument(
        "--composer",
        type=named_file,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="judge this checkpoint too, under this name; may be given several times",
    )
    parser.add_argument("--clips", type=whole(1, _COUNT), default=64, metavar="N", help="of each (default: 64)")
    parser.add_argument(
        "--batches", type=whole(1, _COUNT), default=16, metavar="N", help="of 32 sections, for nats (default: 16)"
    )
    parser.add_argument(
        "--splits", nargs="+", choices=_SPLITS, default=["test"], metavar="SPLIT", help="for nats (default: test)"
    )
    parser.add_argument("--seed", type=whole(0, 2**31), default=0, metavar="N", help="of what is drawn (default: 0)")
    parser.set_defaults(run=run)
    return parser


def named_file(text: str) -> tuple[str, Path]:
    """``NAME=FILE``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE")
    return name, Path(path)


def shipped_composers(folder: Path) -> dict[str, Path]:
    """Name → checkpoint of the composers that are there."""
    return {path.stem.removeprefix("composer_"): path for path in sorted(folder.glob("composer_*.safetensors"))}


def run(args: argparse.Namespace) -> None:
    """Judge the composers, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.engine.compose import FIRST_BAR
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.training.evaluate_composers import Comparison, evaluate_composers

    data = prepared(args.data)
    composers = shipped_composers(CHECKPOINTS) | dict(args.composer)
    if not composers:
        raise RequestError("--composer", "no composer is shipped; give one")
    settings = Comparison(
        clips=args.clips, batches=args.batches, splits=tuple(args.splits), seed=args.seed, first_bar=FIRST_BAR
    )
    with tqdm(unit="step", disable=None) as bar:

        def hook(stage: str, done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.set_description(stage, refresh=True)

        report = evaluate_composers(data, composers, settings, hook)
    write_report(args.report, report)
    print_composers(report)


def print_composers(report: dict[str, Any]) -> None:
    """The report as tables."""
    columns = list(dict.fromkeys(column for row in report["nats"].values() for column in row))
    columns = [column for column in columns if column != "total"] + ["total"]
    rows = [
        (name, *(f"{row[column]:.3f}" if column in row else "" for column in columns))
        for name, row in report["nats"].items()
    ]
    print_table(("nats a step", *columns), rows)
    print()
    _print_statistics(report)
    print()
    names = list(report["overlap"])
    features = list(dict.fromkeys(feature for row in report["overlap"].values() for feature in row))
    rows = [
        (f"{feature}: {kind}", *(_number(report["overlap"][name].get(feature, {}).get(kind)) for name in names))
        for feature in features
        for kind in ("histogram", "distances")
    ]
    print_table(("overlap with held-out songs (1: the same)", *names), rows)
    print()
    _print_novelty(report)


def _print_statistics(report: dict[str, Any]) -> None:
    names = list(dict.fromkeys(name for row in report["statistics"] for name in row["corpora"]))
    header = (f"{len(report['sections'])} held-out sections", "25 %", "50 %", "75 %", "mean")
    rows = []
    for row in report["statistics"]:
        cells: list[str] = []
        for name in names:
            entry = row["corpora"].get(name)
            if entry is None:
                cells += ["-", "", ""]
            else:
                cells += [f"{entry['median']:.3g}", f"{entry['mean']:.3g}", "yes" if entry["inside"] else "NO"]
        rows.append((row["statistic"], *(f"{row[p]:.3g}" for p in ("p25", "p50", "p75", "mean")), *cells))
    print_table((*header, *(cell for name in names for cell in (f"{name}: median", "mean", "inside"))), rows)


def _print_novelty(report: dict[str, Any]) -> None:
    rows = []
    for row in report["novelty"]:
        for name, numbers in (row["humans"] | row["corpora"]).items():
            if "inside" in numbers:
                verdict = "yes" if numbers["inside"] else "NO"
            else:
                verdict = f"{numbers['low']:.1%} to {numbers['high']:.1%}"
            shares = (f"{numbers['clips with a copy']:.1%}", f"{numbers['phrases copied']:.2%}")
            counts = (str(numbers["clips"]), str(numbers["phrases"]), f"{numbers['clips with a telling phrase']:.0%}")
            rows.append((f"{row['part']}, {name}", *shares, *counts, verdict))
    header = (
        "eight beats as in a training song",
        "clips",
        "phrases",
        "of clips",
        "of phrases",
        "clips with any",
        "band",
    )
    print_table(header, rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
