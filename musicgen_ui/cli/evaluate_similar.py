"""``evaluate similar``: are fragments found in another key and tempo, how fast, and how new are composed clips."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from musicgen_ui.cli.arguments import whole
from musicgen_ui.cli.report import print_table, write_report

if TYPE_CHECKING:
    from musicgen_ui.audio.template import Template
    from musicgen_ui.library.matching import Matcher
    from musicgen_ui.music.score import Score

COUNT = 20_000
PERSON = "evaluation"

Question = tuple[int, "Template", float]
"""Which clip a fragment comes from, its template, and the second of the clip at which it begins."""


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("similar", help="fragments found among clips, and clips beside the training pieces")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--composed", type=whole(0, COUNT), default=240, metavar="N", help="clips (default: 240)")
    parser.add_argument("--real", type=whole(1, COUNT), default=320, metavar="N", help="songs (default: 320)")
    parser.add_argument("--bars", type=whole(4, 128), default=12, metavar="N", help="length of each (default: 12)")
    parser.add_argument("--queries", type=whole(1, COUNT), default=200, metavar="N", help="of each kind (default: 200)")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="S", help="length of a fragment (default: 8)")
    parser.add_argument(
        "--sizes", type=whole(1, 10**6), nargs="*", default=[1000, 10_000], metavar="N", help="with distractors, too"
    )
    parser.add_argument("--novelty", type=whole(0, COUNT), default=60, metavar="N", help="pieces (default: 60)")
    parser.add_argument("--seed", type=whole(0, 2**31), default=0, metavar="N", help="of what is drawn (default: 0)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make the clips, look for fragments of them, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.cli.similar_clips import Band, Changes, composed_scores, real_scores
    from musicgen_ui.cli.similar_store import MemoryFingerprints, distractor
    from musicgen_ui.library.matching import Matcher
    from musicgen_ui.server.hearing import heard

    data = prepared(args.data)
    composed = list(composed_scores(args.composed, args.bars, args.seed))
    scores = composed + real_scores(data, args.real, args.bars, args.seed)
    band, rng = Band(), np.random.default_rng([args.seed, 2])
    matcher = Matcher(MemoryFingerprints())
    templates, seconds = [], []
    for number, score in enumerate(tqdm(scores, unit="clip", desc="clips", disable=None)):
        samples = band.play(score)
        began = time.perf_counter()
        templates.append(heard(samples, 44_100, score))
        kept = time.perf_counter()
        matcher.put(PERSON, str(number), templates[-1])
        seconds.append((kept - began, time.perf_counter() - kept))
    chosen = rng.permutation(len(scores))[: args.queries].tolist()
    changes = Changes(seconds=args.seconds)
    kinds: dict[str, list[Question]] = {
        "played": played_questions(band, scores, chosen, changes, rng),
        "hummed": hummed_questions(scores, chosen, rng),
    }
    report: dict[str, Any] = {
        "clips": {"composed": len(composed), "real": len(scores) - len(composed)},
        "seconds": dict(zip(("features", "adding"), np.median(seconds, axis=0).round(4).tolist(), strict=True)),
        "found": [],
    }
    held = len(scores)
    for size in sorted({held, *(size for size in args.sizes if size > held)}):
        for number in range(held, size):
            matcher.put(PERSON, str(number), distractor(templates, rng))
        held = size
        report["found"] += [
            {"clips": size, "kind": kind} | judge(matcher, asked, hummed=kind == "hummed")
            for kind, asked in kinds.items()
        ]
    if args.novelty:
        report["novelty"] = novelty_rows(data, composed, args.novelty, rng)
    write_report(args.report, report)
    print_similar(report)


def played_questions(
    band: Any, scores: Sequence[Score], asked: Sequence[int], changes: Any, rng: Any
) -> list[Question]:
    """A fragment of each clip, played anew."""
    from musicgen_ui.audio.template import template

    fragments = [(number, band.fragment(scores[number], changes, rng)) for number in asked]
    return [(number, template(f.samples, 44_100), f.begin) for number, f in fragments]


def hummed_questions(scores: Sequence[Score], asked: Sequence[int], rng: Any) -> list[Question]:
    """A hummed fragment of each clip whose lead can be hummed."""
    from musicgen_ui.audio.humming import hummed_melody
    from musicgen_ui.audio.template import template
    from musicgen_ui.cli.similar_voice import HUMMED, hum

    questions = []
    for number in asked:
        fragment = hum(scores[number], HUMMED, rng)
        if fragment is not None:
            value = template(fragment.samples, 44_100)
            questions.append((number, value.with_melody(hummed_melody(fragment.samples, 44_100)), fragment.begin))
    return questions


def judge(matcher: Matcher, questions: Sequence[Question], *, hummed: bool) -> dict[str, float]:
    """How often the right clip is found, and where, and how long that takes.

    Returns:
        ``questions``; shares ``top-1`` and ``top-5``; where found first ``place`` (median seconds off) and ``score``;
        ``stranger`` (median score of the best other clip); ``seconds`` (median), ``slowest`` (95th percentile) and
        ``cpu`` (median of the processor's); ``load`` (seconds to read the index of all clips).
    """
    matcher.forget(PERSON)
    began = time.perf_counter()
    matcher.ready(PERSON)
    load = time.perf_counter() - began
    ranks, places, scores, strangers, seconds, cpu = [], [], [], [], [], []
    for number, fragment, begin in questions:
        began, busy = time.perf_counter(), time.process_time()
        found = matcher.find(PERSON, fragment, hummed=hummed)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - busy)
        names = [match.clip for match in found]
        rank = names.index(str(number)) if str(number) in names else len(names)
        ranks.append(rank)
        strangers.append(max((match.score for match in found if match.clip != str(number)), default=0.0))
        if rank == 0:
            places.append(abs(found[0].begin - begin))
            scores.append(found[0].score)
    return {
        "questions": len(questions),
        "top-1": float(np.mean(np.array(ranks) == 0)),
        "top-5": float(np.mean(np.array(ranks) < 5)),
        "place": float(np.median(places)) if places else float("nan"),
        "score": float(np.median(scores)) if scores else float("nan"),
        "stranger": float(np.median(strangers)),
        "seconds": float(np.median(seconds)),
        "cpu": float(np.median(cpu)),
        "slowest": float(np.percentile(seconds, 95)),
        "load": load,
    }


def novelty_rows(data: Path, composed: Sequence[Score], count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Likeness to the nearest training piece: of training pieces themselves, of held-out songs, of composed clips."""
    from musicgen_ui.data.tables import load_tables
    from musicgen_ui.library.novelty import shipped_index
    from musicgen_ui.music.sketch import from_columns, passage, sketch
    from musicgen_ui.music.table import COLUMN

    index = shipped_index()
    tell = [number for number, piece in enumerate(index.pieces) if np.count_nonzero(piece.sketch.tune) > 40]
    own = rng.permutation(tell)[:count].tolist()
    held = [piece for piece in load_tables(data)[0] if piece.split == "test" and piece.observed[0]]
    songs = [
        from_columns(piece.table[:, COLUMN["lead_pitch"]], piece.table[:, COLUMN["chord"]], piece.metre)
        for piece in (held[i] for i in rng.permutation(len(held))[:count])
    ]
    groups = {
        "training pieces": [passage(index.pieces[number].sketch, 16, rng) for number in own],
        "held-out songs": [passage(song, 16, rng) for song in songs],
        "composed clips": [sketch(score) for score in composed[:count]],
    }
    rows = []
    for name, sketches in groups.items():
        likeness, exact, first, seconds = [], [], [], []
        for i, value in enumerate(sketches):
            if np.count_nonzero(value.tune) < 16:
                continue  # nothing that could be anybody's tune
            began = time.perf_counter()
            nearest = index.nearest(value)[0]
            seconds.append(time.perf_counter() - began)
            likeness.append(nearest.likeness)
            exact.append(nearest.exact_beats)
            if name == "training pieces":
                first.append(index.pieces[nearest.piece].group == index.pieces[own[i]].group)
        rows.append(
            {
                "name": name,
                "pieces": len(likeness),
                "likeness": np.percentile(likeness, (10, 25, 50, 75, 90)).tolist(),
                "exact beats": np.percentile(exact, (10, 25, 50, 75, 90)).tolist(),
                "eight exact beats": float(np.mean(np.array(exact) >= 8.0)),
                "found itself": float(np.mean(first)) if first else None,
                "seconds": float(np.median(seconds)),
            }
        )
    return rows


def print_similar(report: dict[str, Any]) -> None:
    """The report as tables."""
    header = (
        "fragments",
        "among",
        "asked",
        "top-1",
        "top-5",
        "place",
        "score",
        "stranger",
        "ms",
        "95 %",
        "of CPU",
        "load ms",
    )
    rows = [
        (
            row["kind"],
            *(str(row[name]) for name in ("clips", "questions")),
            *(f"{row[name]:.1%}" for name in ("top-1", "top-5")),
            *(f"{row[name]:.2f}" for name in ("place", "score", "stranger")),
            *(f"{1000 * row[name]:.0f}" for name in ("seconds", "slowest", "cpu", "load")),
        )
        for row in report["found"]
    ]
    print_table(header, rows)
    costs = report["seconds"]
    print(f"a clip: features {1000 * costs['features']:.0f} ms, adding {1000 * costs['adding']:.1f} ms")
    rows = [
        (
            row["name"],
            str(row["pieces"]),
            *(f"{value:.2f}" for value in row["likeness"]),
            *(f"{value:g}" for value in row["exact beats"][2:]),
            f"{row['eight exact beats']:.0%}",
            "" if row["found itself"] is None else f"{row['found itself']:.0%}",
            f"{row['seconds']:.2f}",
        )
        for row in report.get("novelty", ())
    ]
    if rows:
        print()
        quantiles = ("10 %", "25 %", "50 %", "75 %", "90 %")
        exact = ("exact beats 50 %", "75 %", "90 %", "eight exact")
        print_table(("likeness to the nearest training piece", "pieces", *quantiles, *exact, "itself", "s"), rows)
