"""``train genre``: the genre classifier, on sections of labelled pieces that are played for it."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from musicgen_ui.cli.arguments import whole

VALIDATION_SHARE = 0.2
NEURAL_SHARE = 3
"""Every third section is played by the VAE-GAN, the others by the SoundFont."""


def add(models: argparse._SubParsersAction) -> None:
    """Add the model's parser."""
    parser = models.add_parser("genre", help="the genre classifier, on sections of labelled pieces played for it")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="checkpoint")
    parser.add_argument("--clips", type=whole(110, 100_000), default=1650, metavar="N", help="default: 1650")
    parser.add_argument("--bars", type=whole(4, 64), default=8, metavar="N", help="length of each clip (default: 8)")
    parser.add_argument(
        "--fixed-band", action="store_true", help="play everything with one band: what the notes alone tell"
    )
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="SoundFont to play (default: the embedded one)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Play sections, fit the classifier, write it with its card."""
    import numpy as np
    from tqdm import tqdm

    from musicgen_ui.audio.genre import save_genre
    from musicgen_ui.cli.player import neural_player, soundfont_player
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.engine.listen import listen
    from musicgen_ui.training.fit_genre import Table, fit_genre, hear_labelled
    from musicgen_ui.training.genre_data import GenreSections

    store = PieceStore(args.data)
    sampled = soundfont_player(args.soundfont)
    neural = sampled if args.fixed_band else neural_player(None)

    def play(score, style, seed: int):
        return (neural if seed % NEURAL_SHARE == 0 else sampled)(score, style, seed)

    tables = []
    for number, (split, count) in enumerate(
        (("train", args.clips), ("validation", int(VALIDATION_SHARE * args.clips)))
    ):
        sections = GenreSections(store, split, bars=args.bars, fixed_band=args.fixed_band)
        drawn = islice(sections.draw(np.random.default_rng(number)), count)
        heard = hear_labelled(tqdm(drawn, total=count, desc=split, unit="clip", disable=None), play, listen)
        tables.append(Table.of(list(heard)))
    classifier, numbers = fit_genre(*tables)
    card = {
        "model": "Genre",
        "sections": {"train": len(tables[0].genre), "validation": len(tables[1].genre)},
        "corpora": sorted({info.corpus for info in store.index() if info.split == "train" and info.genre}),
        "validation": {name: round(value, 4) for name, value in numbers.items()},
    }
    save_genre(args.out, classifier, card)
    print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))
