"""Composers side by side on held-out songs: how well they predict, and how what they write compares with real music.

The reference is sections of test songs in which all four parts play. Every composer is asked for the same sections'
styles, one take each, with z from its own prior; nothing is chosen or repaired afterwards, as the app would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.data.sections import SECTION_BARS, Section
from musicgen_ui.data.tables import TablePiece, load_tables
from musicgen_ui.errors import RequestError
from musicgen_ui.models import checkpoint
from musicgen_ui.models.composers import load_composer
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.music.score import METRES
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.music.tokens import STEPS_PER_BEAT
from musicgen_ui.scale import UnitScale, load_score_scales
from musicgen_ui.training.batches import collate
from musicgen_ui.training.composer_metrics import novelty_rows, overlap_rows, statistic_rows
from musicgen_ui.training.composer_nats import COUNTED_BATCHES, count_ngrams, nats_rows
from musicgen_ui.training.held_out import Corpus, as_corpus, full_sections, in_vocabulary, real_corpus, whole_songs
from musicgen_ui.training.ngram_writer import NGramWriter

BIGRAM = "bigram"
OTHER_SONGS = "training songs"
"""Real sections against other real sections: what a perfect composer would reach."""

THESE_SONGS = "held-out songs"
ALL_SONGS = "all held-out songs"

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """Everything that decides a comparison.

    Attributes:
        clips: of each composer; as many held-out sections, or as many as there are.
        bars: length of each.
        batch: takes written at a time.
        first_bar: where in a piece the clips begin, as the composers are told.
        sampling: how bold the composers are.
        batches: of sections that nats are measured on, of each split.
        splits: splits that nats are measured on.
        counted_batches: of training sections that the n-grams are counted on.
        seed: of everything that is drawn.
    """

    clips: int = 64
    bars: int = SECTION_BARS
    batch: int = 32
    first_bar: int = 0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    batches: int = 16
    splits: tuple[str, ...] = ("test",)
    counted_batches: int = COUNTED_BATCHES
    seed: int = 0


def evaluate_composers(data: Path, composers: Mapping[str, Path], settings: Comparison, hook: Hook) -> dict[str, Any]:
    """Loads everything and compares.

    Args:
        data: what ``prepare`` wrote.
        composers: name to checkpoint.
        settings: the comparison.
        hook: told (stage, done, total).

    Returns:
        what :func:`compare` returns, with the checkpoints' cards.

    Raises:
        RequestError: a checkpoint or the data is missing or damaged, or no held-out song has all four parts.
    """
    models = {name: load_composer(path) for name, path in composers.items()}
    pieces, vocabulary = load_tables(data)
    scales = load_score_scales(Path(data) / "measures.json")
    report = compare(models, pieces, vocabulary, scales, settings, hook)
    return report | {"cards": {name: checkpoint.describe(path)["card"] for name, path in composers.items()}}


def compare(
    models: Mapping[str, Any],
    pieces: Sequence[TablePiece],
    vocabulary: DrumVocabulary,
    scales: Mapping[str, UnitScale],
    settings: Comparison,
    hook: Hook,
) -> dict[str, Any]:
    """All tables as one JSON-able value.

    Args:
        models: name to composer, in evaluation mode.
        pieces: prepared, on the grid, of all splits.
        vocabulary: of the pieces' drums.
        scales: score side of the slider scales.
        settings: the comparison.
        hook: told (stage, done, total).

    Returns:
        ``nats`` (see :func:`nats_rows`), ``statistics``, ``overlap``, ``novelty`` (see ``composer_metrics``),
        ``sections`` (the reference's songs), ``seconds`` that each composer took to write, and ``settings``.

    Raises:
        RequestError: no held-out song has all four parts.
    """
    by_split = {split: [p for p in pieces if p.split == split] for split in ("train", "test")}
    drawn = {
        split: full_sections(group, settings.clips, bars=settings.bars, rng=np.random.default_rng(settings.seed))
        for split, group in by_split.items()
    }
    if not drawn["test"]:
        raise RequestError("--data", f"no held-out song has {settings.bars} bars in which all four parts play")
    real = real_corpus(drawn["test"], vocabulary)
    corpora: dict[str, Corpus] = {}
    seconds: dict[str, float] = {}
    for name, model in models.items():
        began = time.perf_counter()
        corpora[name] = write_corpus(model, drawn["test"], vocabulary, scales, settings, hook)
        seconds[name] = time.perf_counter() - began
    counted = count_ngrams(pieces, vocabulary, scales, seed=settings.seed, batches=settings.counted_batches)
    corpora[BIGRAM] = _count_corpus(NGramWriter(counted, vocabulary), drawn["test"], vocabulary, settings)
    others = {OTHER_SONGS: real_corpus(drawn["train"], vocabulary)} if drawn["train"] else {}
    humans = {THESE_SONGS: real, ALL_SONGS: whole_songs(by_split["test"], settings.bars)}
    training = [piece.table for piece in by_split["train"]]
    return {
        "nats": nats_rows(
            models,
            counted,
            pieces,
            vocabulary,
            scales,
            splits=settings.splits,
            batches=settings.batches,
            seed=settings.seed,
        ),
        "statistics": statistic_rows(corpora | others, real),
        "overlap": overlap_rows(corpora | others, real),
        "novelty": novelty_rows(corpora, humans, training, seed=settings.seed),
        "sections": list(real.songs),
        "seconds": seconds,
        "settings": asdict(settings),
    }


def write_corpus(
    model: Any,
    sections: Sequence[Section],
    vocabulary: DrumVocabulary,
    scales: Mapping[str, UnitScale],
    settings: Comparison,
    hook: Hook,
) -> Corpus:
    """A take of a composer for the style of each section, which all have the same metre and parts.

    Args:
        model: a composer in evaluation mode.
        sections: with the drum classes of ``vocabulary``.
        vocabulary: of the sections.
        scales: score side of the slider scales, by which the sections' styles are labelled.
        settings: how to write.
        hook: told ("compose", steps done, steps) of each batch of takes.
    """
    own = DrumVocabulary(model.config.drum_masks)
    steps_per_bar = METRES[sections[0].piece.metre] * STEPS_PER_BEAT
    steps = settings.bars * steps_per_bar
    tables: list[np.ndarray] = []
    for start in range(0, len(sections), settings.batch):
        group = [in_vocabulary(section, vocabulary, own) for section in sections[start : start + settings.batch]]
        condition = collate(group, scales, own).condition
        latents, noise = draw_noise(
            [_seed(settings.seed, start + i) for i in range(len(group))], steps, model.config.latent
        )
        z = model.prior(condition, latents)
        written = write_tables(
            model,
            condition,
            z,
            noise,
            steps_per_bar=steps_per_bar,
            config=settings.sampling,
            hook=hook,
            plan=Plan(first_bar=settings.first_bar),
        )
        tables.extend(written.numpy())
    return as_corpus(sections, tables, own)


def _count_corpus(
    writer: NGramWriter, sections: Sequence[Section], vocabulary: DrumVocabulary, settings: Comparison
) -> Corpus:
    steps = settings.bars * METRES[sections[0].piece.metre] * STEPS_PER_BEAT
    observed = np.stack([section.observed for section in sections])
    tables = writer.write(observed, steps, [(settings.seed, i) for i in range(len(sections))])
    return as_corpus(sections, list(tables), vocabulary)


def _seed(seed: int, take: int) -> int:
    return int(np.random.SeedSequence([seed, take]).generate_state(1, np.uint64)[0] >> 1)
