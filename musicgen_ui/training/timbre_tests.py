"""Whether z and the labels do what the panel promises: instruments lie together, morphs move, brightness brightens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from musicgen_ui.audio.spectral import log_mel
from musicgen_ui.audio.timbre import brightness
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import LABEL_RANGES, TimbreLabels
from musicgen_ui.training.rendered import RenderedFolder, RenderedTimbre, Stem
from musicgen_ui.training.synth_player import NEUTRAL, Renderer, TimbrePlayer

MORPHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEVELS = tuple(float(level) for level in np.linspace(-1.0, 1.0, 9))
"""Settings of the brightness label."""

SHORT = 3 * SAMPLE_RATE
"""Samples of a stem that morphs and sweeps play."""

PATHS = 32
SWEEPS = 16

TOLERANCE = 1e-3
"""A path may stand still, but not turn back by more than a thousandth of its length."""

Hook = Callable[[str, int, int], None]
"""Called as hook(stage, done, total)."""


def slerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """From a (share 0) to b (share 1) along the arc between their directions, the length going over linearly."""
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) < 1e-6:
        return (1 - share) * a + share * b
    cosine = float(np.clip(np.dot(a, b) / (lengths[0] * lengths[1]), -1.0, 1.0))
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-3:
        return (1 - share) * a + share * b
    direction = (np.sin((1 - share) * angle) * a / lengths[0] + np.sin(share * angle) * b / lengths[1]) / np.sin(angle)
    return direction * ((1 - share) * lengths[0] + share * lengths[1])


def mel_embedding(samples: np.ndarray) -> np.ndarray:
    """(128,): mean and deviation of the log-mel bands in dB over the frames in which something sounds."""
    mel = log_mel(samples, SAMPLE_RATE, n_fft=2048, hop=1024, n_mels=64)
    heard = mel[:, mel.max(axis=0) > -50.0]
    return np.concatenate([heard.mean(axis=1), heard.std(axis=1)]) if heard.shape[1] else np.full(128, -80.0)


def nearest_presets(player: TimbrePlayer, stems: Iterable[Stem], known: Iterable[Stem]) -> dict[str, Any]:
    """Which preset's prior mean is nearest to the encoding of renderings that training has not seen.

    Args:
        player: the model.
        stems: renderings to place; one of a preset that ``known`` lacks is left out.
        known: renderings that training has seen, one or more of each preset: their mean mel embeddings are the
            yardstick, for which no network was trained.

    Returns:
        ``top-1 family`` and ``top-1 preset`` by z, the same by mel embedding, the share of the largest family
        (``chance``) and the number of ``renderings``; empty for none.
    """
    embeddings: dict[tuple[int, bool], list[np.ndarray]] = {}
    family: dict[tuple[int, bool], str] = {}
    for stem in known:
        embeddings.setdefault(stem.timbre.preset, []).append(mel_embedding(stem.samples))
        family[stem.timbre.preset] = stem.timbre.family
    presets = list(embeddings)
    places = np.array([player.prior_mean(*preset) for preset in presets])
    mel_places = np.array([np.mean(embeddings[preset], axis=0) for preset in presets])
    hits, families = [], []
    for stem in stems:
        if stem.timbre.preset not in family:
            continue
        guesses = [
            presets[int(np.square(table - point).sum(axis=1).argmin())]
            for table, point in ((places, player.encode(stem.samples)), (mel_places, mel_embedding(stem.samples)))
        ]
        hits.append([(family[g] == stem.timbre.family, g == stem.timbre.preset) for g in guesses])
        families.append(stem.timbre.family)
    if not hits:
        return {}
    shares = np.mean(hits, axis=0)
    return {
        "renderings": len(hits),
        "top-1 family": float(shares[0, 0]),
        "top-1 preset": float(shares[0, 1]),
        "top-1 family, mel embedding": float(shares[1, 0]),
        "top-1 preset, mel embedding": float(shares[1, 1]),
        "chance": float(np.unique(families, return_counts=True)[1].max() / len(families)),
    }


def rises(path: Sequence[float]) -> bool:
    """Whether a path of distances never turns back."""
    steps = np.diff(path)
    return bool(path[-1] > path[0] and (steps >= -TOLERANCE * (max(path) - min(path))).all())


def morph_paths(
    player: TimbrePlayer,
    pairs: Sequence[tuple[Stem, Stem]],
    *,
    seed: int = 0,
    hook: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Whether a morph from A to B moves away from A without turning back.

    A's notes are played with z on the arc between the prior means of A and B, as an unknown instrument, so that
    nothing but z tells the two apart. Distances are measured from the sound at morph 0, in z as the encoder hears
    it and in mel embeddings; and, the strictest, from A's prior mean.

    Returns:
        Share of monotone paths: ``z``, ``mel embedding``, ``z from the prior's mean``; and how many ``paths``.
    """
    kept = []
    for number, (a, b) in enumerate(pairs):
        ends = [player.prior_mean(*stem.timbre.preset) for stem in (a, b)]
        sounds = [
            player.play(
                a.notes,
                *a.timbre.preset,
                a.samples.size,
                labels=NEUTRAL,
                z=slerp(*ends, share).astype(np.float32),
                stem_level=True,
                known=False,
                seed=seed + number,
            )
            for share in MORPHS
        ]
        codes, mels = [player.encode(s) for s in sounds], [mel_embedding(s) for s in sounds]
        origins = ((codes, codes[0]), (mels, mels[0]), (codes, ends[0]))
        kept.append([rises([float(np.linalg.norm(point - origin)) for point in path]) for path, origin in origins])
        hook()
    shares = np.mean(kept, axis=0)
    names = ("z", "mel embedding", "z from the prior's mean")
    return {"paths": len(kept)} | {name: float(share) for name, share in zip(names, shares, strict=True)}


def brightness_sweep(
    play: Callable[[Stem, TimbreLabels], np.ndarray],
    stems: Sequence[Stem],
    hook: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Rank correlation of the brightness label with the spectral centroid of what is heard.

    Args:
        play: a stem's notes with other labels.
        stems: scores and presets to sweep, each over LEVELS.
        hook: called after each stem.

    Returns:
        ``spearman``: mean over stems; ``worst``; ``share of stems at 0.9 or more``; ``octaves``: mean rise of the
        centroid from the lowest to the highest level; and the number of ``stems``.
    """
    found, octaves = [], []
    for stem in stems:
        heard = [brightness(play(stem, TimbreLabels(brightness=level)), SAMPLE_RATE) for level in LEVELS]
        flat = max(heard) - min(heard) < 1e-9
        found.append(0.0 if flat else float(spearmanr(LEVELS, heard)[0]))
        octaves.append((heard[-1] - heard[0]) / np.log(2.0))
        hook()
    return {
        "stems": len(stems),
        "spearman": float(np.mean(found)),
        "worst": float(np.min(found)),
        "share of stems at 0.9 or more": float((np.array(found) >= 0.9).mean()),
        "octaves": float(np.mean(octaves)),
    }


def timbre_report(
    folder: RenderedFolder,
    player: TimbrePlayer,
    renderer: Renderer | None,
    stems: Sequence[Stem],
    rng: np.random.Generator,
    hook: Hook,
) -> dict[str, Any]:
    """``nearest preset``, ``morph`` and ``brightness``, and ``brightness, SoundFont`` with a renderer."""
    short = [stem.cropped(SHORT) for stem in stems]
    short = [stem for stem in short if stem.notes]
    pairs = _pairs([stem for stem in short if not stem.timbre.drums], rng)
    swept = [short[number] for number in rng.permutation(len(short))[:SWEEPS]]

    def counted(stage: str, total: int) -> Callable[[], None]:
        count = iter(range(1, total + 1))
        return lambda: hook(stage, next(count), total)

    def play(stem: Stem, labels: TimbreLabels) -> np.ndarray:
        return player.play(
            stem.notes, *stem.timbre.preset, stem.samples.size,
            labels=labels, z=None, stem_level=True, known=True, seed=0,
        )  # fmt: skip

    learned, fresh = _renderings(folder, renderer, stems, rng)
    report: dict[str, Any] = {"nearest preset": nearest_presets(player, fresh, learned)}
    if pairs:
        report["morph"] = morph_paths(player, pairs, hook=counted("morph", len(pairs)))
    if swept:
        report["brightness"] = brightness_sweep(play, swept, counted("brightness", len(swept)))
    if swept and renderer is not None:
        report["brightness, SoundFont"] = brightness_sweep(partial(replay, renderer), swept)
    return report


def _renderings(
    folder: RenderedFolder, renderer: Renderer | None, stems: Sequence[Stem], rng: np.random.Generator
) -> tuple[Iterator[Stem], Iterator[Stem]]:
    """Renderings of the stems' presets: some that training has seen, and all that are held out.

    Held out are the stems, the validation passages, and the stems played again under labels drawn anew. One is in
    memory at a time.
    """
    presets = {stem.timbre.preset for stem in stems}
    mine = [t for t in folder.timbres if t.seen and t.variant <= 1 and t.preset in presets]
    neutral = [t for t in mine if t.variant == 0]
    length = max(stem.samples.size for stem in stems)

    def of(timbres: Sequence[RenderedTimbre], split: str, most: int) -> Iterator[Stem]:
        for timbre in timbres:
            yield from folder.stems(timbre, folder.passages(timbre, (split,))[:most], length)

    again = () if renderer is None else stems
    varied = (replace(stem, samples=replay(renderer, stem, random_labels(rng))) for stem in again)
    return of(mine, "train", 2), chain(stems, of(neutral, "validation", 1), varied)


def random_labels(rng: np.random.Generator) -> TimbreLabels:
    """Each label neutral or, as often, anywhere in its range."""
    return TimbreLabels(
        **{
            name: float(rng.uniform(low, high)) if rng.random() < 0.5 else neutral
            for name, (low, high, neutral) in LABEL_RANGES.items()
        }
    )


def replay(renderer: Renderer, stem: Stem, labels: TimbreLabels) -> np.ndarray:
    """A stem as the SoundFont plays it under other labels."""
    program, drums = stem.timbre.preset
    return renderer.render(stem.notes, program, stem.samples.size, drums=drums, labels=labels)


def _pairs(stems: Sequence[Stem], rng: np.random.Generator) -> list[tuple[Stem, Stem]]:
    """PATHS pairs of stems of different presets; fewer where there are fewer."""
    if len({stem.timbre.preset for stem in stems}) < 2:
        return []
    drawn = ((stems[a], stems[b]) for a, b in rng.integers(len(stems), size=(4 * PATHS, 2)))
    return [(a, b) for a, b in drawn if a.timbre.preset != b.timbre.preset][:PATHS]
