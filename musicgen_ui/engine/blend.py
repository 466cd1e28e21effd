"""Who has the say where: how much of a clip stays in each bar and part of a variation, or of a morph of two clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musicgen_ui.models.lean import LAYER_COLUMNS, LAYERS
from musicgen_ui.music.repetition import SIMILAR, bar_contents
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.table import COLUMN
from musicgen_ui.music.tokens import STEPS_PER_BEAT

SOFT = 0.15
"""Range of the amount over which a stretch of music lets go, so that its own notes change one after the other."""

CROSSING = 0.2
"""Range of the mix over which a stretch of music passes from one clip to the other."""

FREE = 0.4
"""Share of the choices that are the composer's own in the middle of such a passage."""

_BAND = (0.25, 0.85)
ENTERS = {"drums": (0.05, 0.55), "harmony": _BAND, "chords": _BAND, "bass": _BAND, "lead": (0.55, 1.0)}
"""Where in the mix each layer passes over: the groove first, then bass and chords with their harmony, the tune last."""

_PHRASES = (0, 2, 1, 3)
"""Order in which the two-bar phrases of eight bars pass over."""

_PITCHED = tuple(LAYERS.index(part) for part in PARTS[:3])
_HARMONY = LAYERS.index("harmony")


def held(table: np.ndarray, echo: np.ndarray, per_bar: int, amount: float, seed: int) -> np.ndarray:
    """How much of a clip stays when it is varied.

    The clip is taken apart into half bars of each part. The seed puts them in an order in which they are let go, so
    that more of the amount lets go more of them and none comes back. A bar's harmony stays as long as any of its
    pitched notes does.

    Args:
        table: (steps, fields) the clip.
        echo: (steps, fields) bool, cells that follow another place and need no say of their own.
        per_bar: steps a bar.
        amount: 0 to 1.
        seed: of the order.

    Returns:
        (steps, layers) float64: 1 everywhere for an amount of 0, 0 for 1.
    """
    half = per_bar // 2 if per_bar % (2 * STEPS_PER_BEAT) == 0 else per_bar
    pieces = len(table) // half
    told = (table > 0) & ~echo
    struck = np.stack([told[:, list(LAYER_COLUMNS[layer])].any(axis=1) for layer in LAYERS], axis=1)
    busy = struck.reshape(pieces, half, len(LAYERS)).any(axis=1)
    rng = np.random.default_rng([seed, 0x7A12])
    rank = rng.permutation(pieces * len(LAYERS)).reshape(pieces, len(LAYERS)).astype(np.float64)
    rank[:, _HARMONY] = np.inf
    counted = busy & np.isfinite(rank)
    # Silence is let go when the time comes, but only what sounds is counted: so the music changes steadily.
    sounding = np.sort(rank[counted])
    place = np.searchsorted(sounding, rank) / max(len(sounding), 1)
    bars = np.arange(pieces) * half // per_bar
    for bar in np.unique(bars):
        place[bars == bar, _HARMONY] = place[bars == bar][:, _PITCHED].max()
    let_go = amount * (1 + SOFT) - np.minimum(place, 1.0)
    return np.repeat(np.clip(1 - let_go / SOFT, 0.0, 1.0), half, axis=0)


def echoes(score: Score, table: np.ndarray, per_bar: int) -> tuple[np.ndarray, np.ndarray]:
    """Which cells of a clip take up an earlier bar: what comes back in it shall come back in its variation.

    Args:
        score: the clip.
        table: (steps, fields) the same.
        per_bar: steps a bar.

    Returns:
        (steps,) the step that is taken up, -1 for none; and (steps, fields) bool, the cells in which the two are alike.
    """
    origin, mask = np.full(len(table), -1), np.zeros(table.shape, dtype=bool)
    bars = bar_contents(score)
    for bar, content in enumerate(bars):
        likeness = [len(content & earlier) / len(content | earlier) for earlier in bars[:bar] if content]
        if max(likeness, default=0.0) < SIMILAR:
            continue
        source = int(np.argmax(likeness))
        here, there = (slice(b * per_bar, (b + 1) * per_bar) for b in (bar, source))
        origin[here] = np.arange(there.start, there.stop)
        mask[here] = table[here] == table[there]
    return origin, mask


def shared(steps: int, per_bar: int, mix: float) -> tuple[np.ndarray, np.ndarray]:
    """How much of the clips at either end there is in a morph.

    Layer by layer and two-bar phrase by two-bar phrase the music passes from one clip to the other; what has passed
    over stays there. Bass and chords go with the harmony that they were written for.

    Args:
        steps: of the table.
        per_bar: steps a bar.
        mix: 0 (all of the first) to 1 (all of the second).

    Returns:
        two (steps, layers) float64 that add up to at most 1.
    """
    bars = -(-steps // per_bar)
    phrases = np.array([_PHRASES[bar // 2 % 4] / 4 + (bar % 2) / 8 + 1 / 16 for bar in range(bars)])
    place = np.stack([low + (high - low) * phrases for low, high in (ENTERS[layer] for layer in LAYERS)], axis=1)
    passed = np.clip((mix * (1 + CROSSING) - place) / CROSSING, 0.0, 1.0)
    bound = 1 - 4 * FREE * passed * (1 - passed)
    passed, bound = (np.repeat(x, per_bar, axis=0)[:steps] for x in (passed, bound))
    return (1 - passed) * bound, passed * bound


def fits(near: np.ndarray, far: np.ndarray, tables: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where the tune of either clip meets another chord than its own.

    Args:
        near: (steps, layers) the say of the first clip.
        far: that of the second.
        tables: (steps, fields) both clips.

    Returns:
        two (steps,) bool.
    """
    chord = COLUMN["chord"]
    differs = tables[0][:, chord] != tables[1][:, chord]
    harmony_is_far = far[:, _HARMONY] > near[:, _HARMONY]
    return harmony_is_far & differs, ~harmony_is_far & differs


def laid_out(steps: int, per_bar: int, other_bars: int, other_per_bar: int) -> np.ndarray:
    """Where in another clip each step is to be found, (steps,): bar by bar, round and round; -1 for nowhere.

    Args:
        steps: of the table.
        per_bar: its steps a bar.
        other_bars: of the other clip.
        other_per_bar: its steps a bar.
    """
    bar, place = np.divmod(np.arange(steps), per_bar)
    return np.where(place < other_per_bar, bar % other_bars * other_per_bar + place, -1)


def closing(weights: Sequence[np.ndarray], first_step: int, keeper: int) -> None:
    """Gives everything from a step on to one of the clips, in place: an ending stays an ending."""
    for number, weight in enumerate(weights):
        weight[first_step:] = 1.0 if number == keeper else 0.0
