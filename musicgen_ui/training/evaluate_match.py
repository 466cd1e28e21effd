"""Whether "make more like this" does: is a clip made from a recording nearer to it than to other recordings?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.likeness import GROUPS, SOUND_ALONE, Fingerprint, Likeness
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import PartSetting, Style
from musicgen_ui.timbre import Timbre, TimbrePoint
from musicgen_ui.training.evaluate import Finished
from musicgen_ui.training.listener_data import Play, draw_sections

PARTS_AT_LEAST = 2


@dataclass(frozen=True)
class Recording:
    """A held-out piece as it was played.

    Attributes:
        piece_id: what was played.
        samples: (channels, n) float32.
        sample_rate: in Hz.
    """

    piece_id: str
    samples: np.ndarray
    sample_rate: int


class MatchedLike(Protocol):
    """What is used of ``engine.match.Matched``."""

    style: Style
    unheard: tuple[str, ...]


Match = Callable[[np.ndarray, int], MatchedLike]
"""Samples (channels, n) and their rate to the style that is heard in them."""

Describe = Callable[[np.ndarray, int], Fingerprint]
"""Samples (channels, n) and their rate to all that is compared."""


def held_out_recordings(store: PieceStore, play: Play, *, count: int = 20, bars: int = 16, seed: int = 0) -> list:
    """Sections of different songs of the test split, as their own instruments play them, in mixes of their own.

    Args:
        store: prepared pieces.
        play: synthesizer and mixer.
        count: how many.
        bars: length of each; shorter where the piece is shorter.
        seed: of every choice.
    """
    rng = np.random.default_rng(seed)
    recordings: list[Recording] = []
    songs: set[str] = set()
    for piece_id, score in draw_sections(store, "test", rng, bars=bars, parts=PARTS_AT_LEAST, native=1.0):
        song = store.info(piece_id).group
        if song in songs or not score.pitched:
            continue
        songs.add(song)
        style = Style(
            tempo=score.tempo,
            brightness=float(rng.uniform(0.25, 0.75)),
            space=float(rng.uniform(0.0, 0.6)),
            parts={part: PartSetting(level=float(rng.uniform(-4, 4))) for part in Style().parts},
        )
        recordings.append(Recording(piece_id, *play(score, style, seed * 1000 + len(recordings))))
        if len(recordings) == count:
            return recordings
    raise ValueError("there are too few held-out songs")


def evaluate_match(
    generate: Callable[[Recipe], Finished],
    match: Match,
    describe: Describe,
    recordings: Sequence[Recording],
    recipe: Callable[[Style, int], Recipe],
    *,
    borrow: Callable[[np.ndarray, int], TimbrePoint] | None = None,
    hook: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Makes a clip from each recording, and ranks all recordings by their distance to it.

    Args:
        generate: the studio.
        match: what sets the sliders.
        describe: what is compared.
        recordings: two or more.
        recipe: a matched style and a seed to the recipe of the clip.
        borrow: takes the timbre of a recording for its clip; None leaves the instruments as they are.
        hook: told ``("match", done, total)``.

    Returns:
        :func:`ranks` over all that is heard and without tempo and key, each group alone, and a row a recording.
    """
    originals = [describe(r.samples, r.sample_rate) for r in recordings]
    clips, rows = [], []
    for number, recording in enumerate(recordings):
        matched = match(recording.samples, recording.sample_rate)
        wanted = recipe(matched.style, number)
        if borrow is not None:
            wanted = replace(wanted, timbre=Timbre(borrow(recording.samples, recording.sample_rate)))
        clip = generate(wanted).clip
        clips.append(describe(clip.samples, clip.sample_rate))
        style = matched.style
        rows.append(
            {
                "piece": recording.piece_id,
                "tempo": style.tempo,
                "key": style.key,
                "genre": dict(style.genre),
                "parts": list(style.active_parts),
                "unheard": list(matched.unheard),
            }
        )
        hook("match", number + 1, len(recordings))
    likeness = Likeness.fit(originals)
    placed = {"all": GROUPS, "without tempo and key": SOUND_ALONE} | {f"{group} alone": (group,) for group in GROUPS}
    report: dict[str, Any] = {"recordings": len(recordings)}
    for name, groups in placed.items():
        distance = np.array([[likeness.distance(clip, original, groups) for original in originals] for clip in clips])
        places = ranks(distance)
        report[name] = summary(places)
        if name == "all":
            for row, place in zip(rows, places, strict=True):
                row["place"] = int(place)
    return report | {"each": rows}


def ranks(distance: np.ndarray) -> np.ndarray:
    """Place, from 1, of each clip's own recording among all by distance.

    Args:
        distance: (clips, recordings), clip ``i`` made from recording ``i``. Recordings as near as the own one are
            counted before it, so that a distance that tells nothing wins nothing.
    """
    own = np.diagonal(distance)[:, None]
    return (distance <= own).sum(axis=1)


def summary(places: np.ndarray) -> dict[str, float]:
    """Shares of the clips whose recording comes first, and among the first five; and the mean place."""
    return {"top-1": float((places == 1).mean()), "top-5": float((places <= 5).mean()), "place": float(places.mean())}


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The reports of several sets of recordings, of equal size, as one: means, and all rows."""
    spaces = [name for name, entry in reports[0].items() if isinstance(entry, dict)]
    rates = {
        name: {key: float(np.mean([r[name][key] for r in reports])) for key in reports[0][name]} for name in spaces
    }
    rows = [row for report in reports for row in report["each"]]
    return {"recordings": reports[0]["recordings"], "sets": len(reports), **rates, "each": rows}
