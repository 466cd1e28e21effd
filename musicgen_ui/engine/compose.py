"""Style → Score: decides the key, lets a composer write a few takes, and keeps the one that measures nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicgen_ui.audio.networks import FeatureNetwork, load_networks
from musicgen_ui.engine.clarity import tempo_clarity
from musicgen_ui.engine.device import one_thread
from musicgen_ui.engine.form import Layout, framed, write_layout
from musicgen_ui.engine.orchestrate import choose_programs
from musicgen_ui.engine.steer import Steering, levelled, slider_guide
from musicgen_ui.models.condition import Condition, condition_of, stack
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Composer, Hook, Plan, draw_noise
from musicgen_ui.music.form import Shape
from musicgen_ui.music.measures import MEASURED, chroma, measure
from musicgen_ui.music.score import METRES, Score
from musicgen_ui.music.table import DrumVocabulary, from_table
from musicgen_ui.music.theory import KEYS, PITCH_NAMES, key_correlations, key_is_minor, key_tonic
from musicgen_ui.music.tokens import HIGH, LOW, STEPS_PER_BEAT, Grid, decode, fold
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import AUTO, Style

NEUTRAL = {False: "C major", True: "A minor"}
"""Composers write in these keys, by "is minor"; the score is moved afterwards."""

FIRST_BAR = 8
"""Where in a piece a clip begins: after the introduction, when everybody plays. It ends where the piece ends."""

CLEAR_KEY = 0.1
"""Lead, in correlation with the key profiles, from which on a key is clear."""

KEY_WEIGHT = 0.5
"""What a key that cannot be heard weighs against the mean miss of the sliders, when takes are compared."""

TEMPO_WEIGHT = 0.5
"""What a beat that would be heard at another tempo weighs, likewise: busy slow music sounds like fast music."""

_BORDER, _KNEE = 0.4, 0.36
_EMPTY_RETRIES = 4


def no_hook(stage: str, done: int, total: int) -> None:
    """Reports to nobody."""


def resolve_key(style: Style, seed: int) -> str:
    """The style's key; when it is ``auto``, the mood chooses the mode and the seed a tonic."""
    if style.key != AUTO:
        return style.key
    tonic = PITCH_NAMES[int(np.random.default_rng([seed, 0x4E7]).integers(12))]
    return f"{tonic} {'minor' if style.mood < 0.5 else 'major'}"


def compose(  # noqa: PLR0913 - what decides on a score is much
    composer: Composer,
    style: Style,
    *,
    seed: int,
    bars: int,
    takes: int = 1,
    scales: Mapping[str, UnitScale],
    sampling: SamplingConfig | None = None,
    shape: Shape | None = None,
    steering: Steering | None = None,
    hook: Hook = no_hook,
) -> Score:
    """Writes a score in the style's key, tempo and metre, of exactly ``bars`` bars, with only its active parts.

    Args:
        composer: a loaded composer in evaluation mode.
        style: the request.
        seed: the same seed, style and composer give the same score; take 0 does not depend on ``takes``.
        bars: length.
        takes: how many to write; the one that lies nearest to the sliders and says its key most clearly is kept.
        scales: score side of the slider scales, by slider.
        sampling: how bold; None for the defaults.
        shape: form, introduction and ending; None for a free form that comes to an end.
        steering: how the sliders lean on what is written; None for as far as it takes.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.

    Raises:
        RequestError: an unknown form or ending, or no room for an introduction.
    """
    return compose_many(
        composer,
        [style],
        [seed],
        bars=bars,
        takes=takes,
        scales=scales,
        sampling=sampling,
        shape=shape,
        steering=steering,
        hook=hook,
    )[0]


def compose_many(  # noqa: PLR0913 - as above
    composer: Composer,
    styles: Sequence[Style],
    seeds: Sequence[int],
    *,
    bars: int,
    takes: int = 1,
    scales: Mapping[str, UnitScale],
    sampling: SamplingConfig | None = None,
    shape: Shape | None = None,
    steering: Steering | None = None,
    hook: Hook = no_hook,
) -> list[Score]:
    """Many different styles written as one batch, a tenth of the time; each score is that of :func:`compose` alone.

    Args:
        composer: a loaded composer in evaluation mode.
        styles: of one metre, with the same active parts.
        seeds: one a style.
        bars: length.
        takes: how many to write of each style, as in :func:`compose`.
        scales: score side of the slider scales, by slider.
        sampling: how bold; None for the defaults.
        shape: of every score, as in :func:`compose`.
        steering: of every score, as in :func:`compose`.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.

    Returns:
        A score a style, in their order.
    """
    if len(styles) != len(seeds):
        raise ValueError("every style needs a seed")
    if len({(style.metre, style.active_parts) for style in styles}) > 1:
        raise ValueError("the styles of a batch must agree in metre and active parts")
    layout, steering = Layout.of(bars, shape or Shape()), steering or Steering()
    networks = load_networks() if takes > 1 else {}
    writing = _Writing(composer, layout, sampling or SamplingConfig(), steering, scales, hook)
    requests = [_Request.of(style, seed) for style, seed in zip(styles, seeds, strict=True)]
    best: list[Score | None] = [None] * len(requests)
    waiting = list(range(len(requests)))
    for attempt in range(_EMPTY_RETRIES):
        if not waiting:
            break
        group = [requests[i] for i in waiting]
        written = writing.write(group, range(attempt * takes, (attempt + 1) * takes))
        for i, scores in zip(waiting, written, strict=True):
            wanted = replace(requests[i].style, **steering.targets)
            # The first of equals; one alone need not be judged.
            best[i] = scores[0] if takes == 1 else min(scores, key=lambda s: distance(s, wanted, scales, networks))
        waiting = [i for i in waiting if not any(best[i].parts.values())]
    return [
        replace(in_key(score, request.key), programs=choose_programs(request.style, request.seed))
        for score, request in zip(best, requests, strict=True)
    ]


@dataclass(frozen=True)
class _Request:
    """A style whose key has been decided, and its condition (batch of one)."""

    style: Style
    seed: int
    key: str
    condition: Condition

    @classmethod
    def of(cls, style: Style, seed: int) -> _Request:
        key = resolve_key(style, seed)
        minor = key_is_minor(key)
        told = replace(style, key=key, mood=mood_of_mode(style.mood, minor, chosen=style.key != AUTO))
        return cls(style, seed, key, condition_of(told, minor=minor))


@dataclass(frozen=True)
class _Writing:
    """How a batch is written: what all its takes have in common."""

    composer: Composer
    layout: Layout
    sampling: SamplingConfig
    steering: Steering
    scales: Mapping[str, UnitScale]
    hook: Hook

    def write(self, requests: Sequence[_Request], takes: range) -> list[list[Score]]:
        """The given takes of every request, in the neutral keys, written as one batch."""
        style, composer = requests[0].style, self.composer
        steps = self.layout.body_bars * METRES[style.metre] * STEPS_PER_BEAT
        vocabulary = DrumVocabulary(composer.config.drum_masks)
        device = next(composer.parameters()).device
        owners = [request for request in requests for _ in takes]
        seeds = [_take_seed(request.seed, take) for request in requests for take in takes]
        latents, noise = draw_noise(seeds, steps, composer.config.latent)
        asked = stack([owner.condition for owner in owners]).to(device)
        closes = self.layout.ending == "close"
        guide = slider_guide(asked, self.scales, vocabulary, steps=steps, steering=self.steering, closes=closes)
        with one_thread():
            tables = write_layout(
                composer,
                asked,
                latents,
                noise,
                self.layout,
                config=self.sampling,
                hook=self.hook,
                plan=Plan(first_bar=FIRST_BAR, guide=guide),
            )
        observed = requests[0].condition.active[0].numpy()
        grids = [from_table(table, vocabulary, style.metre, observed) for table in tables.numpy()]
        scores = [self._finished(grid, owner) for grid, owner in zip(grids, owners, strict=True)]
        return [scores[i : i + len(takes)] for i in range(0, len(scores), len(takes))]

    def _finished(self, grid: Grid, request: _Request) -> Score:
        score = decode(grid, tempo=request.style.tempo, key=NEUTRAL[key_is_minor(request.key)])
        score = framed(score, self.layout)
        if self.steering.strength <= 0:
            return score
        wanted = self.steering.targets.get("energy", request.style.energy)
        return levelled(score, self.scales["energy"].from_unit(wanted))


def mood_of_mode(mood: float, minor: bool, *, chosen: bool = False) -> float:
    """The mood that the composer is told and steered to.

    The key has the last word on the mode, and the border between the modes is kept clear of, because music there has
    no key that one could hear.

    Args:
        mood: of the style.
        minor: the key's mode.
        chosen: the key was not left to the mood: all of the slider moves within its mode, the far side a little.
    """
    if not minor:
        return 1.0 - mood_of_mode(1.0 - mood, minor=True, chosen=chosen)
    if chosen and mood > _KNEE:
        return _KNEE + (_BORDER - _KNEE) * (mood - _KNEE) / (1.0 - _KNEE)
    return min(mood, _BORDER)


def in_key(score: Score, key: str) -> Score:
    """Moves a score in a neutral key to ``key`` of its mode by the smaller way, and each part back into its range."""
    shift = (key_tonic(key) - key_tonic(score.key or NEUTRAL[key_is_minor(key)]) + 6) % 12 - 6
    moved = score.transposed(shift)
    parts = {
        name: notes
        if name == "drums"
        else tuple(sorted(replace(n, pitch=fold(n.pitch, LOW[name], HIGH[name])) for n in notes))
        for name, notes in moved.parts.items()
    }
    return replace(moved, parts=parts, key=KEYS[KEYS.index(key)])


def slider_errors(score: Score, style: Style, scales: Mapping[str, UnitScale]) -> dict[str, float]:
    """Measured minus asked, by learned slider, in slider units; sliders that cannot be measured are left out."""
    raw = measure(score)
    return {
        key: scales[key].to_unit(value) - getattr(style, key) for key in MEASURED if (value := raw[key]) is not None
    }


def key_doubt(score: Score) -> float:
    """How far the score's notes are from saying its key clearly, 0 to 1.

    0 when the key's profile fits better than every other by CLEAR_KEY, 1 when another fits better by as much.
    """
    correlations = key_correlations(chroma(score))
    own = KEYS.index(score.key)
    margin = correlations[own] - np.delete(correlations, own).max()
    return float(np.clip((CLEAR_KEY - margin) / (2 * CLEAR_KEY), 0.0, 1.0)) if score.pitched else 0.0


def distance(
    score: Score, style: Style, scales: Mapping[str, UnitScale], networks: Mapping[str, FeatureNetwork]
) -> float:
    """How far a take lies from what is wanted: mean miss of the sliders, and whether its key and tempo will be heard.

    Args:
        score: a take, in any key.
        style: what is wanted.
        scales: score side of the slider scales.
        networks: of ``audio.networks.load_networks``.
    """
    errors = slider_errors(score, style, scales)
    if not errors or not any(score.parts.values()):
        return 10.0  # a take that says nothing at all is the furthest
    doubt = KEY_WEIGHT * key_doubt(score) + TEMPO_WEIGHT * (1.0 - tempo_clarity(score, networks))
    return sum(abs(e) for e in errors.values()) / len(errors) + doubt


def _take_seed(seed: int, take: int) -> int:
    return int(np.random.SeedSequence([seed, take]).generate_state(1, np.uint64)[0] >> 1)
