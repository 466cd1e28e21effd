"""Music that something is made from: heard as a composer needs it, with its instruments, and told as a style."""

from __future__ import annotations

from dataclasses import replace

from musicgen_ui.engine.compose import NEUTRAL, mood_of_mode
from musicgen_ui.engine.orchestrate import choose_programs
from musicgen_ui.errors import RequestError
from musicgen_ui.music.harmony import with_harmony
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.theory import key_is_minor, key_tonic
from musicgen_ui.style import AUTO, SLIDERS, Style


def heard(score: Score) -> Score:
    """The score with a key, and chords where its notes have any.

    Raises:
        RequestError: it holds no notes.
    """
    if not any(score.parts.values()):
        raise RequestError("source", "there are no notes to begin with")
    if score.key is None or not score.chords:
        found = with_harmony(score, score.key)
        score = replace(score, key=score.key or found.key or NEUTRAL[False], chords=score.chords or found.chords)
    return score


def neutral(score: Score) -> Score:
    """The score in the neutral key of its mode, by the smaller way."""
    home = NEUTRAL[key_is_minor(score.key)]
    return score.transposed((key_tonic(home) - key_tonic(score.key) + 6) % 12 - 6)


def programs_of(score: Score, style: Style, seed: int) -> dict[str, int]:
    """The score's own instruments; the style's where a part is new or the person chose one."""
    chosen = choose_programs(style, seed)
    named = {part: chosen[part] for part in style.active_parts if style.parts[part].instrument != AUTO}
    return {**chosen, **score.programs, **named}


def told(score: Score, style: Style, active: tuple[str, ...]) -> Style:
    """The style as the composer is told it: what the score decides comes from the score."""
    tempo = SLIDERS["tempo"]
    return style.with_values(
        tempo=min(max(score.tempo, tempo.low), tempo.high),
        metre=score.metre,
        key=score.key,
        mood=mood_of_mode(style.mood, key_is_minor(score.key), chosen=True),
        parts={part: replace(style.parts[part], on=part in active) for part in PARTS},
    )
