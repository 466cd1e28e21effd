"""A Score as plain JSON values and back, exactly: times keep every bit, and nothing is believed unchecked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import METRES, PARTS, Chord, Note, Score
from musicgen_ui.music.theory import KEYS, QUALITIES

FORMAT = 1
"""Version of the layout."""

MAX_BARS = 4096
MAX_NOTES = 200_000
TEMPO_RANGE = (1.0, 1000.0)

_FIELDS = {"format", "tempo", "metre", "bars", "key", "programs", "parts", "chords"}


def score_to_dict(score: Score) -> dict[str, Any]:
    """Plain JSON: a note is ``[onset, pitch, duration, velocity]``, a chord ``[onset, duration, root, quality]``."""
    return {
        "format": FORMAT,
        "tempo": score.tempo,
        "metre": score.metre,
        "bars": score.bars,
        "key": score.key,
        "programs": dict(score.programs),
        "parts": {
            part: [[n.onset, n.pitch, n.duration, n.velocity] for n in score.parts[part]] for part in score.parts
        },
        "chords": [[c.onset, c.duration, c.root, c.quality] for c in score.chords],
    }


def score_from_dict(values: Any) -> Score:
    """Inverse of :func:`score_to_dict`.

    Raises:
        RequestError: ``score`` is not laid out like this, or holds a value that no score has.
    """
    if not isinstance(values, Mapping) or set(values) != _FIELDS or values["format"] != FORMAT:
        raise _fault("is not a score that this release has written")
    metre, key = values["metre"], values["key"]
    if metre not in METRES:
        raise _fault(f"has a metre that is not one of {', '.join(METRES)}")
    if key is not None and key not in KEYS:
        raise _fault("has a key that there is not")
    bars = _whole(values["bars"], 1, MAX_BARS, "bars")
    tempo = _number(values["tempo"], *TEMPO_RANGE, "tempo")
    beats = float(bars * METRES[metre])
    parts, chords = _part_lists(values["parts"]), _list(values["chords"])
    if sum(map(len, parts.values())) + len(chords) > MAX_NOTES:
        raise _fault(f"has more than {MAX_NOTES:,} notes")
    return Score(
        tempo,
        metre,
        bars,
        {part: tuple(_note(row, beats) for row in rows) for part, rows in parts.items()},
        tuple(_chord(row, beats) for row in chords),
        key,
        _programs(values["programs"]),
    )


def _fault(reason: str) -> RequestError:
    return RequestError("score", reason)


def _number(value: Any, low: float, high: float, name: str) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not good or not math.isfinite(value):
        raise _fault(f"has {name} that must be a number from {low:g} to {high:g}")
    return value


def _whole(value: Any, low: int, high: int, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _fault(f"has {name} that must be a whole number from {low} to {high}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _fault("has a list that is none")
    return value


def _row(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 4:
        raise _fault("has a row that has not four values")
    return value


def _part_lists(value: Any) -> dict[str, list[Any]]:
    if not isinstance(value, Mapping) or not set(value) <= set(PARTS):
        raise _fault(f"has a part that is not one of {', '.join(PARTS)}")
    return {part: _list(rows) for part, rows in value.items()}


def _note(value: Any, beats: float) -> Note:
    onset, pitch, duration, velocity = _row(value)
    return Note(
        # Micro-timing may begin a note a little before the first beat.
        _number(onset, -1.0, beats, "onsets"),
        _whole(pitch, 0, 127, "pitches"),
        _number(duration, 0.0, 2 * beats, "durations"),
        _whole(velocity, 1, 127, "velocities"),
    )


def _chord(value: Any, beats: float) -> Chord:
    onset, duration, root, quality = _row(value)
    if not isinstance(quality, str) or quality not in QUALITIES:
        raise _fault("has a chord quality that there is not")
    return Chord(
        _number(onset, -1.0, beats, "chord onsets"),
        _number(duration, 0.0, 2 * beats, "chord durations"),
        _whole(root, 0, 11, "chord roots"),
        quality,
    )


def _programs(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or not set(value) <= set(PARTS):
        raise _fault(f"has an instrument of a part that is not one of {', '.join(PARTS)}")
    return {part: _whole(program, 0, 127, "programs") for part, program in value.items()}
