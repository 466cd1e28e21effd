"""``train listener`` and ``train scales``: what is heard of a clip, and what 0 to 1 means on the meters."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen_ui.cli.arguments import whole
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import SYNTHS

if TYPE_CHECKING:
    from musicgen_ui.training.listener_data import Sources


def add(models: argparse._SubParsersAction) -> None:
    """Add both parsers."""
    listener = models.add_parser("listener", help="the Listener's small networks, on scores played for it")
    _add_paths(listener, "checkpoint")
    _add_sound(listener, clips=1800, neural=0.85)
    listener.add_argument(
        "--keep",
        nargs="*",
        default=[],
        metavar="NETWORK",
        help="shipped networks to keep as they are, because others were fitted to what they hear: pitch beat",
    )
    listener.set_defaults(run=run_listener)
    scales = models.add_parser("scales", help="what 0 to 1 means on every slider's meter, on scores played for it")
    _add_paths(scales, "measures.json")
    _add_sound(scales, clips=300, neural=1.0)
    scales.add_argument("--synth", choices=SYNTHS, default=SYNTHS[0], help=f"default: {SYNTHS[0]}")
    scales.set_defaults(run=run_scales)


def _add_paths(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=what)


def _add_sound(parser: argparse.ArgumentParser, clips: int, neural: float) -> None:
    parser.add_argument("--clips", type=whole(10, 100_000), default=clips, metavar="N", help=f"default: {clips}")
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="SoundFont to play (default: the embedded one)")
    parser.add_argument(
        "--neural",
        type=_share,
        default=neural,
        metavar="SHARE",
        help=f"of the clips, played by the neural synthesizer (default: {neural:g}; 0 needs no checkpoint of it)",
    )
    parser.add_argument(
        "--composed",
        type=_share,
        default=0.65,
        metavar="SHARE",
        help="of the clips, written by the studio's composers (default: 0.65; 0 needs none)",
    )


def _share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number from 0 to 1")
    return value


def _sources(args: argparse.Namespace, synth: str) -> Sources:
    """The players and writers that the shares ask for."""
    from musicgen_ui.cli.player import neural_player, raw_player, soundfont_player, studio_writer
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.scale import load_scales
    from musicgen_ui.training.listener_data import Sources

    scales = load_scales(CHECKPOINTS / "measures.json")  # the studio's mixer shapes what it plays by them
    neural = {"vaegan": neural_player, "wavenet": raw_player}.get(synth)
    return Sources(
        play=soundfont_player(args.soundfont),
        neural=neural(None, scales) if neural is not None and args.neural > 0 else None,
        write=studio_writer(None) if args.composed > 0 else None,
        neural_share=args.neural,
        composed_share=args.composed,
    )


def run_listener(args: argparse.Namespace) -> None:
    """Play examples, fit the networks, write them with their card."""
    import numpy as np
    from tqdm import tqdm

    from musicgen_ui.audio.networks import load_networks, save_networks
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.training.fit_listener import fit_listener, observe
    from musicgen_ui.training.listener_data import fitting_examples

    shipped = load_networks() if args.keep else {}
    for name in args.keep:
        if name not in shipped:
            raise RequestError("--keep", f"{name!r:.40} is not one of {', '.join(shipped)}")
    store = PieceStore(args.data)
    examples = fitting_examples(store, _sources(args, "vaegan"), np.random.default_rng(0), args.clips)
    seen = [observe(example) for example in tqdm(examples, total=args.clips, unit="clip", disable=None)]
    losses: list[str] = []
    kept = {name: shipped[name] for name in args.keep}
    networks = fit_listener(seen, kept=kept, log=lambda line: (print(line, flush=True), losses.append(line)))
    card = {
        "model": "Listener",
        "examples": args.clips,
        "neural": args.neural,
        "composed": args.composed,
        "kept": sorted(kept),
        "corpora": sorted({info.corpus for info in store.index() if info.split == "train"}),
        "losses": losses,
    }
    save_networks(args.out, networks, card)


def run_scales(args: argparse.Namespace) -> None:
    """Play clips as the studio does, listen, write the scales of both sides."""
    from tqdm import tqdm

    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.engine.listen import listen
    from musicgen_ui.scale import load_score_scales, save_scales
    from musicgen_ui.training.calibrate import audio_scales, correlations, hear_clips

    store = PieceStore(args.data)
    score = load_score_scales(args.data / "measures.json")
    sources = _sources(args, args.synth)
    with tqdm(total=args.clips, unit="clip", disable=None) as bar:
        rows = hear_clips(store, sources, listen, n=args.clips, hook=lambda *_: bar.update())
    save_scales(args.out, {"score": score, "audio": audio_scales(rows, score)})
    for slider, rho in correlations(rows).items():
        print(f"{slider}: score and sound agree by rank correlation {'-' if rho is None else f'{rho:.2f}'}")
