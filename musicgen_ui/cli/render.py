"""``render``: a clip from somebody's MIDI file."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.generate import add_mixing_options, style_of
from musicgen_ui.cli.report import print_result, stage_meter
from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import program_number
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import LIMITS, SYNTHS, RenderRecipe, require_available
from musicgen_ui.style import AUTO, EFFECTS, Style

MIXER_SLIDERS = ("brightness", "space", *EFFECTS)
"""Sliders that mean something where the notes are given."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("render", help="play a MIDI file", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="MIDI file")
    parser.add_argument("--synth", choices=SYNTHS, default="soundfont", help="default: soundfont")
    parser.add_argument("--timbre", type=Path, metavar="FILE", help="recording whose timbre to take (vaegan only)")
    parser.add_argument("--seed", type=whole(*LIMITS["seed"]), default=0, metavar="N", help="of the mixer's noise")
    add_mixing_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Render, save and report."""
    require_available(None, args.synth)
    if args.timbre is not None:
        raise RequestError(
            "--timbre", f"{args.synth} plays fixed instruments and cannot take the timbre of a recording"
        )
    style = style_of(args, MIXER_SLIDERS)
    from musicgen_ui.engine.export import check_writable, save
    from musicgen_ui.music.midi import score_from_midi

    check_writable(args.out)
    score = arranged(score_from_midi(args.file, str(args.file)), style, chosen=args.parts is not None)
    recipe = RenderRecipe(hashlib.sha256(args.file.read_bytes()).hexdigest(), style, args.seed, args.synth)
    with stage_meter() as hook:
        result = load_studio(args).render(score, recipe, hook)
    save(result, args.out)
    print_result(result, args.out, as_json=args.json)


def arranged(score: Score, style: Style, *, chosen: bool) -> Score:
    """The score with the parts and instruments that the person chose; the file's own otherwise.

    Args:
        score: the file's score.
        style: whose parts and instruments to take.
        chosen: whether the person named parts; naming one that the file lacks is then an error.

    Raises:
        RequestError: the file has no notes in the chosen parts.
    """
    if chosen:
        missing = [part for part in style.active_parts if not score.notes(part)]
        if missing:
            raise RequestError("--parts", f"the file has no notes for {', '.join(missing)}")
    programs = {
        part: program_number(part, style.parts[part].instrument)
        for part in style.active_parts
        if style.parts[part].instrument != AUTO
    }
    return replace(score.with_parts(style.active_parts), programs={**score.programs, **programs})
