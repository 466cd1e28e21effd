"""Whether z and the labels do what the panel promises: instruments lie together, morphs move, brightness brightens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from musicgen_ui.audio.spectral import log_mel
from musicgen_ui.audio.timbre import brightness
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.training.rendered import Stem
from musicgen_ui.training.synth_player import TimbrePlayer

MORPHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEVELS = tuple(float(level) for level in np.linspace(-1.0, 1.0, 9))
"""Settings of the brightness label."""

TOLERANCE = 1e-3
"""A path may stand still, but not turn back by more than a thousandth of its length."""


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


def nearest_presets(player: TimbrePlayer, stems: Sequence[Stem], known: Sequence[Stem]) -> dict[str, Any]:
    """Which preset's prior mean is nearest to the encoding of renderings that training has not seen.

    Args:
        player: the model.
        stems: renderings to place, each of a preset that occurs in ``known``.
        known: one stem or more of every preset that training has seen, from its training passages: their mel
            embeddings are the yardstick, for which no network was trained.

    Returns:
        ``top-1 family`` and ``top-1 preset`` by z, the same by mel embedding, the share of the largest family
        (``chance``) and the number of ``renderings``.
    """
    presets = list(dict.fromkeys(stem.timbre.preset for stem in known))
    family = {stem.timbre.preset: stem.timbre.family for stem in known}
    places = np.stack([player.prior_mean(*preset) for preset in presets])
    mel_places = np.stack(
        [np.mean([mel_embedding(s.samples) for s in known if s.timbre.preset == p], axis=0) for p in presets]
    )
    hits = []
    for stem in stems:
        guesses = [
            presets[int(np.square(table - point).sum(axis=1).argmin())]
            for table, point in ((places, player.encode(stem.samples)), (mel_places, mel_embedding(stem.samples)))
        ]
        hits.append([(family[g] == stem.timbre.family, g == stem.timbre.preset) for g in guesses])
    shares = np.mean(hits, axis=0)
    counts = np.unique([stem.timbre.family for stem in stems], return_counts=True)[1]
    return {
        "renderings": len(stems),
        "top-1 family": float(shares[0, 0]),
        "top-1 preset": float(shares[0, 1]),
        "top-1 family, mel embedding": float(shares[1, 0]),
        "top-1 preset, mel embedding": float(shares[1, 1]),
        "chance": float(counts.max() / counts.sum()),
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
                labels=TimbreLabels(),
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
