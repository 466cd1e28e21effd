"""``evaluate synth``: how far the synthesizer is from the SoundFont that it learned from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import DEVICES, whole
from musicgen_ui.cli.report import print_table, stage_meter, write_report
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import SYNTHS

if TYPE_CHECKING:
    from musicgen_ui.data.fluid import FluidRenderer
    from musicgen_ui.training.line_passages import LinePassages
    from musicgen_ui.training.rendered import RenderedFolder
    from musicgen_ui.training.synth_player import Player

MOST_CLIPS = 4096


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    synth = subjects.add_parser("synth", help="the synthesizer beside its SoundFont on held-out scores")
    synth.add_argument(
        "--audio", type=Path, required=True, metavar="DIR", help="what prepare-audio or prepare-lines wrote"
    )
    synth.add_argument(
        "--synth",
        choices=SYNTHS,
        default=SYNTHS[0],
        help="wavenet: on the lines of prepare-lines; soundfont: the one that the app plays, in the model's place "
        f"(default: {SYNTHS[0]})",
    )
    synth.add_argument(
        "--clips", type=whole(1, MOST_CLIPS), default=96, metavar="N", help="passages of trained presets (default: 96)"
    )
    synth.add_argument("--seed", type=whole(0, 2**31 - 1), default=0, metavar="N", help="of every choice (default: 0)")
    synth.add_argument("--figure", type=Path, metavar="FILE", help="PNG of spectrograms side by side to write")
    synth.add_argument("--checkpoints", type=Path, metavar="DIR", help="folder of the models; default: the shipped one")
    synth.add_argument("--device", choices=DEVICES, default="auto", help="where the model runs (default: auto)")
    synth.add_argument(
        "--soundfont",
        type=Path,
        metavar="FILE",
        help="what the audio was rendered with, to play it again (default: MuseScore_General where it is installed)",
    )
    synth.set_defaults(run=run)
    return synth


def run(args: argparse.Namespace) -> None:
    """Play held-out scores with the synthesizer, measure, print the tables."""
    from musicgen_ui.training import evaluate_synth, synth_figure

    lines = (args.audio / "lines.json").is_file()
    if args.synth == "wavenet" and not lines:
        raise RequestError("--audio", f"{args.audio} holds no lines; the WaveNet is judged on what prepare-lines wrote")
    renderer = _renderer(args, needed=lines)
    folder = _folder(args.audio, renderer if lines else None)
    player = _player(args)
    with stage_meter() as hook:
        report = evaluate_synth.run(folder, player, renderer=renderer, clips=args.clips, seed=args.seed, hook=hook)
    report["synth"] = args.synth
    if args.figure is not None:
        synth_figure.draw_figure(args.figure, folder, player, seed=args.seed)
    write_report(args.report, report)
    print_report(report)


def _renderer(args: argparse.Namespace, *, needed: bool) -> FluidRenderer | None:
    """The SoundFont that the audio was rendered with; None where it is not there and not needed."""
    from musicgen_ui.data.fluid import FluidRenderer

    try:
        return FluidRenderer.open(args.soundfont)
    except RequestError as error:
        if needed or args.soundfont is not None:
            raise
        print(f"without the rows that play the SoundFont again: {error.reason}", file=sys.stderr)
        return None


def _folder(path: Path, renderer: FluidRenderer | None) -> RenderedFolder | LinePassages:
    """What is judged: lines if there is a renderer to play them."""
    from musicgen_ui.training.line_passages import LinePassages
    from musicgen_ui.training.rendered import RenderedFolder

    return RenderedFolder.open(path) if renderer is None else LinePassages.open(path, renderer)


def _player(args: argparse.Namespace) -> Player:
    """The synthesizer that is judged."""
    from musicgen_ui.engine.loading import CHECKPOINTS

    folder = args.checkpoints or CHECKPOINTS
    if args.synth == "wavenet":
        from musicgen_ui.engine.raw_line_player import RawLinePlayer

        return RawLinePlayer.load(folder)
    if args.synth == "vaegan":
        from musicgen_ui.engine.device import resolve_device
        from musicgen_ui.engine.neural_player import NeuralPlayer

        return NeuralPlayer.load(folder, resolve_device(args.device))
    from musicgen_ui.audio.soundfont import SoundFont
    from musicgen_ui.training.synth_player import SoundFontPlayer

    return SoundFontPlayer(SoundFont.load())


def print_report(report: dict[str, Any]) -> None:
    """Groups of stems, the two-sample test, the timbre tests."""
    from musicgen_ui.training.synth_metrics import METRICS

    for group, rows in report["groups"].items():
        lines = [(row, str(means["stems"]), *(shown(means[m]) for m in METRICS)) for row, means in rows.items()]
        print_table((group, "stems", *METRICS), lines)
        print()
    lines = [
        (row, *(f"{found[m][0]:.3f} {found[m][1]}" if m in found else "" for m in METRICS))
        for row, found in report["worst"].items()
    ]
    print_table(("worst preset", *METRICS), lines)
    print()
    lines = [
        (
            *(row, shown(found["auc"]), "{:.3f} to {:.3f}".format(*found["interval"]), shown(found["stems auc"])),
            *(shown(area) for area in found["all"].values()),
        )
        for row, found in report["two-sample"].items()
    ]
    judges = next((tuple(found["all"]) for found in report["two-sample"].values()), ())
    print_table(("told from the SoundFont", "AUC", "95 %", "whole stems", *judges), lines)
    for test in ("nearest preset", "morph", "brightness", "brightness, SoundFont"):
        if test in report:
            print()
            print_table((test, ""), [(name, shown(value)) for name, value in report[test].items()])
    print("\nseconds: " + ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in report["seconds"].items()))


def shown(value: float | None) -> str:
    """A number to three decimals, a count as it is, nothing for what was not measured."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.3f}"
