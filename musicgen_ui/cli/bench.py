"""``bench``: how fast the studio is on this machine."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli import bench_live
from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Studio

CASES = {
    "16 bars at 128 BPM (30 s)": Recipe(style=Style(tempo=128.0), bars=16),
    "16 bars at 128 BPM, 16 takes": Recipe(style=Style(tempo=128.0), bars=16, takes=16),
    "16 bars at 128 BPM, 3 rounds": Recipe(style=Style(tempo=128.0), bars=16, rounds=3),
    "2 bars at 120 BPM (4 s)": Recipe(style=Style(tempo=120.0), bars=2),
}

FOUR_STEMS = Recipe(style=Style(tempo=128.0), bars=16)
"""Four stems of 30 seconds, for every synthesizer alone."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("bench", help="measure speed", description=__doc__)
    parser.add_argument(
        "subject", nargs="?", choices=("studio", "wavenet"), default="studio", help="the studio, or the raw WaveNet"
    )
    parser.add_argument("--random", action="store_true", help="wavenet: untaught weights, not the shipped ones")
    parser.add_argument(
        "--repeats", type=whole(1, 100), default=5, metavar="N", help="clips for each case (default: 5)"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="JSON to write (default: reports/bench….json)")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Load, repeat each case warm, print medians."""
    if args.subject == "wavenet":
        from musicgen_ui.cli.bench_wavenet import run as run_wavenet

        run_wavenet(args)
        return
    loaded: list[str] = []
    began = time.perf_counter()
    studio = load_studio(args, log=loaded.append)
    ready = time.perf_counter() - began
    cases = {name: timed(studio, recipe, args.repeats) for name, recipe in CASES.items()}
    synthesizers = {name: stems(studio, name, args.repeats) for name in studio.synths}
    live = bench_live.measured(studio, args.repeats)
    parts = levels(args.checkpoints) if "vaegan" in studio.synths else {}
    import torch

    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                    "threads": torch.get_num_threads(), "device": studio.device, "python": platform.python_version()},
        "seconds to ready": ready,
        "loaded": loaded,
        "peak memory (MB)": peak_memory(),
        "cases": cases,
        "heard while it is made": live,
        "four stems of 30 s": synthesizers,
        "one stem of 30 s on one core": parts,
    }  # fmt: skip
    write_report(args.report or Path("reports") / "bench.json", report)
    print("\n".join(loaded))
    peak = report["peak memory (MB)"]
    print(f"peak memory {'unknown' if peak is None else f'{peak:.0f} MB'}\n")
    stages = list(dict.fromkeys(stage for case in cases.values() for stage in case["stages"]))
    rows = [
        (name, f"{case['median']:.2f}", f"{case['times real time']:.1f}", *(f"{case['stages'][s]:.2f}" for s in stages))
        for name, case in cases.items()
    ]
    print_table(("warm, median seconds", "total", "x real time", *stages), rows)
    first = live["first sound"]
    print(f"\nfirst sound after {first['median']:.2f} s (median; slowest {first['slowest']:.2f} s)\n")
    head = ("heard while it is made", "first", "at so many seconds: so much music", "dry")
    print_table(head, bench_live.rows(live))
    print()
    waits = [(f"{bars} bars", *(f"{s:.2f}" for s in w.values())) for bars, w in live["longest wait for stop"].items()]
    print_table(("longest wait for Stop, seconds", *next(iter(live["longest wait for stop"].values()))), waits)
    print()
    rows = [(name, f"{speed['median']:.2f}", f"{speed['times real time']:.1f}") for name, speed in synthesizers.items()]
    print_table(("four stems of 30 s, warm", "median seconds", "x real time"), rows)
    if parts:
        print()
        print_table(
            ("one stem of 30 s, one core: x real time", *next(iter(parts.values()))),
            [(name, *(f"{speed:.0f}" for speed in speeds.values())) for name, speeds in parts.items()],
        )


def timed(studio: Studio, recipe: Recipe, repeats: int) -> dict[str, Any]:
    """Median and slowest wall time of a recipe with different seeds."""
    totals, stages, length = [], [], 0.0
    for seed in range(repeats):
        began = time.perf_counter()
        result = studio.generate(replace(recipe, seed=seed))
        totals.append(time.perf_counter() - began)
        stages.append(result.seconds)
        length = result.clip.seconds
    middle = median(totals)
    return {
        "median": middle,
        "slowest": max(totals),
        "seconds of music": length,
        "times real time": length / middle,
        "stages": {stage: median([entry[stage] for entry in stages]) for stage in stages[0]},
    }


def stems(studio: Studio, synth: str, repeats: int) -> dict[str, float]:
    """Median time of the synthesizer alone, over scores of different seeds."""
    case = timed(studio, replace(FOUR_STEMS, synth=synth), repeats)
    seconds = case["stages"]["synthesize"]
    # The watch counts tenths of milliseconds; a stand-in may take less.
    return {"median": seconds, "times real time": case["seconds of music"] / max(seconds, 1e-4)}


def levels(checkpoints: Path | None) -> dict[str, dict[str, float]]:
    """Times real time of each level of the neural synthesizer, for one voice after another and for chords."""
    import torch

    from musicgen_ui.audio.oscillators import render
    from musicgen_ui.audio.soundfont import PlayedNote
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.engine.neural import NeuralSynthesizer
    from musicgen_ui.models.vae_gan.performance import Sound, perform

    generator = NeuralSynthesizer.load(checkpoints or CHECKPOINTS).generator
    network = generator.network(drums=False)
    sound = Sound(0, network.prior_mean[0].detach())
    hop, beats = 512, 60
    length = beats * 43 * hop
    found, threads = {}, torch.get_num_threads()
    torch.set_num_threads(1)
    for name, chord in {"melody": (60,), "chords of four": (48, 55, 60, 64)}.items():
        notes = [
            PlayedNote(i * 43 * hop, (i + 1) * 43 * hop, pitch + i % 7, 64 + i) for i in range(beats) for pitch in chord
        ]
        with torch.inference_mode():
            written = _speed(length, lambda notes=notes: perform(network, notes, sound))
            voices = perform(network, notes, sound).numpy()
            bank = _speed(length, lambda voices=voices: render(voices, generator.bands.numpy(), 0, length))
            stem = torch.from_numpy(render(voices, generator.bands.numpy(), 0, length)).unsqueeze(0)
            finished = _speed(length, lambda stem=stem: generator.finish(stem, [sound], [False], 0))
        found[name] = {"note network": written, "oscillator bank": bank, "stem level": finished}
    torch.set_num_threads(threads)
    return found


def _speed(samples: int, work: Callable[[], Any]) -> float:
    """Seconds of sound for each second of work, the median of five after one to warm up."""
    from musicgen_ui.audio.waveform import SAMPLE_RATE

    work()
    took = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return samples / SAMPLE_RATE / median(took)


def peak_memory() -> float | None:
    """Largest resident memory of this process so far in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
