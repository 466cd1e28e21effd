"""Real clips for simulated people to judge: composed as batches, played by the SoundFont, mixed and heard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.errors import RequestError

if TYPE_CHECKING:
    from musicgen_ui.style import Style

BATCH = 32


def read_clips(path: Path) -> list[dict[str, Any]]:
    """Rows that an earlier run kept; none where the file is not there.

    Raises:
        RequestError: it cannot be read.
    """
    if not path.exists():
        return []
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not all(isinstance(row["recipe"]["seed"], int) for row in rows):
            raise ValueError("a row has no seed")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError("--rows", f"{path} cannot be read ({error})") from None
    return rows


def make_clips(
    numbers: Sequence[int], bars: int, *, checkpoints: Path | None, soundfont: Path | None
) -> Iterator[dict[str, Any]]:
    """Clips with styles from everywhere, in no particular order; a clip's number is its seed and decides its style.

    Each is a row of plain JSON values: ``recipe``, ``heard`` with ``genres``, ``parts`` and ``key`` as in a ClipInfo;
    ``notes``, the notes' own values of the sliders; ``sound``, the colour that taste knows it by.

    Args:
        numbers: of the clips to make.
        bars: length of each.
        checkpoints: folder of the models; None for the shipped one.
        soundfont: file; None for the embedded one.

    Raises:
        RequestError: a model or the SoundFont is missing or damaged.
    """
    import numpy as np

    from musicgen_ui.cli.player import soundfont_player
    from musicgen_ui.engine.closed_loop import score_values
    from musicgen_ui.engine.compose import compose_many
    from musicgen_ui.engine.ears import Ears
    from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
    from musicgen_ui.library.taste_features import sound_of
    from musicgen_ui.library.taste_styles import from_everywhere
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.music.instruments import GM_NAMES, KITS
    from musicgen_ui.recipe import COMPOSERS, Recipe
    from musicgen_ui.scale import load_scales

    folder = checkpoints or CHECKPOINTS
    scales = load_scales(folder / "measures.json")
    composer = load_composer(folder / COMPOSER.format(COMPOSERS[0]), "cpu")
    play, ears = soundfont_player(soundfont, scales), Ears.load(folder)
    kits = {program: name for name, program in KITS.items()}
    styles = {number: from_everywhere(np.random.default_rng([number, 77])) for number in numbers}
    for part in _batches(styles):
        written = compose_many(composer, [styles[i] for i in part], part, bars=bars, takes=1, scales=scales["score"])
        for number, score in zip(part, written, strict=True):
            samples, rate = play(score, styles[number], number)
            heard = ears.values(samples, rate)
            genres = {name: round(float(share), 4) for name, share in heard["genres"].items()}
            yield {
                "recipe": Recipe(style=styles[number], seed=number, bars=bars, takes=1, synth="soundfont").to_dict(),
                "heard": {**heard, "genres": genres},
                "parts": {p: kits[n] if p == "drums" else GM_NAMES[n] for p, n in score.programs.items()},
                "key": score.key,
                "notes": {key: round(value, 4) for key, value in score_values(score, scales["score"]).items()},
                "sound": sound_of(samples, rate),
            }


def _batches(styles: Mapping[int, Style]) -> Iterator[list[int]]:
    """Numbers of styles that can be composed together."""
    groups: dict[Any, list[int]] = {}
    for number, style in styles.items():
        groups.setdefault((style.metre, style.active_parts), []).append(number)
    for group in groups.values():
        for start in range(0, len(group), BATCH):
            yield group[start : start + BATCH]
