"""``evaluate taste``: how well a hidden taste is learned from few likes, and whether the radio gets better."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import whole
from musicgen_ui.cli.report import print_table, write_report

_COUNT = 4096
_FEWEST = 50


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("taste", help="simulated people with hidden tastes judge clips and hear the radio")
    parser.add_argument(
        "--clips", type=whole(_FEWEST, _COUNT), default=400, metavar="N", help="real clips to judge (default: 400)"
    )
    parser.add_argument("--bars", type=whole(4, 128), default=8, metavar="N", help="length of each clip (default: 8)")
    parser.add_argument(
        "--people", type=whole(1, _COUNT), default=30, metavar="N", help="people of each kind of taste (default: 30)"
    )
    parser.add_argument(
        "--listeners", type=whole(0, _COUNT), default=3, metavar="N",
        help="people of each kind who hear the radio; 0: none (default: 3)",
    )  # fmt: skip
    parser.add_argument(
        "--proposals", type=whole(30, 1000), default=50, metavar="N", help="clips that each hears (default: 50)"
    )
    parser.add_argument("--seed", type=whole(0, 2**31), default=0, metavar="N", help="of the people (default: 0)")
    parser.add_argument(
        "--rows", type=Path, default=Path("reports") / "taste_clips.jsonl", metavar="FILE",
        help="keeps the clips, so that a second run need not make them (default: reports/taste_clips.jsonl)",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of the models; default: the shipped one"
    )
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="SoundFont to play (default: the embedded one)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make or read the clips, let people judge them, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.library.taste_people import KINDS
    from musicgen_ui.library.taste_simulated_radio import measure_radio
    from musicgen_ui.library.taste_simulation import measure_learning

    clips = _clips(args)
    report: dict[str, Any] = {"clips": len(clips), "people of each kind": args.people, "seed": args.seed}
    with tqdm(total=len(KINDS) * args.people, unit="person", disable=None) as bar:
        report["learning"] = measure_learning(clips, people=args.people, seed=args.seed, hook=bar.update)
    if args.listeners:
        with tqdm(total=len(KINDS) * args.listeners, unit="listener", disable=None) as bar:
            report["radio"] = measure_radio(
                clips, people=args.listeners, proposals=args.proposals, seed=args.seed, hook=bar.update
            )
    write_report(args.report, report)
    print_taste(report)


def _clips(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The clips of ``--rows``; those that are not there yet are made and added."""
    from tqdm import tqdm

    from musicgen_ui.cli.taste_clips import make_clips, read_clips
    from musicgen_ui.errors import RequestError

    clips = {row["recipe"]["seed"]: row for row in read_clips(args.rows)}
    missing = [number for number in range(args.clips) if number not in clips]
    made = make_clips(missing, args.bars, checkpoints=args.checkpoints, soundfont=args.soundfont) if missing else ()
    try:
        args.rows.parent.mkdir(parents=True, exist_ok=True)
        with args.rows.open("a", encoding="utf-8") as rows:
            for row in tqdm(made, total=len(missing), unit="clip", disable=None):
                rows.write(json.dumps(row) + "\n")
                rows.flush()
                clips[row["recipe"]["seed"]] = row
    except OSError as error:
        raise RequestError("--rows", f"{args.rows} cannot be written ({error.strerror or error})") from None
    return [clips[number] for number in range(args.clips)]


def print_taste(report: dict[str, Any]) -> None:
    """AUC by learner and number of likes, by kind of taste, then the radio's hits and regret."""
    learning = report["learning"]
    sizes = list(learning["taste"])
    rows = [
        (name, *(f"{by[size]['mean']:.3f} ({by[size]['low']:.2f}-{by[size]['high']:.2f})" for size in sizes))
        for name, by in learning.items()
    ]
    print_table(("AUC, mean (10 % - 90 % of people) after", *sizes), rows)
    print()
    kinds = list(learning["taste"][sizes[0]]["kinds"])
    print_table(
        ("taste, by kind, after", *sizes),
        [(kind, *(f"{learning['taste'][size]['kinds'][kind]:.3f}" for size in sizes)) for kind in kinds],
    )
    if "radio" not in report:
        return
    radio = report["radio"]
    tens = radio["liked, radio"]
    print()
    print_table(
        ("proposals", *tens),
        [
            ("liked, radio", *(f"{share:.0%}" for share in tens.values())),
            ("liked, random clips", *(f"{radio['liked, random clips']:.0%}" for _ in tens)),
            ("regret, radio", *(f"{entry['radio']:.1f}" for entry in radio["regret"].values())),
            ("regret, random clips", *(f"{entry['random']:.1f}" for entry in radio["regret"].values())),
        ],
    )
    print()
    rows = [(name, f"{value:.0%}") for name, value in radio["of them"].items()]
    print_table(("of all proposals", "liked"), rows)
    print(f"something new: {radio['something new, share']:.0%} of the proposals")
    print(f"genres of eleven in the last 25 proposals: {radio['genres in the last 25']:.1f}")
    print_table(("liked, by kind", ""), [(kind, f"{share:.0%}") for kind, share in radio["kinds"].items()])
