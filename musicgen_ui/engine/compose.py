"""Style → Score: decides the key, lets a composer write a few takes, and keeps the one that measures nearest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from torch import Tensor

from musicgen_ui.audio.networks import FeatureNetwork, load_networks
from musicgen_ui.engine.device import one_thread
from musicgen_ui.engine.form import Layout, framed, write_layout
from musicgen_ui.engine.judge import distance
from musicgen_ui.engine.jury import FIRST_COMMIT, EarlyJury, Told, commits
from musicgen_ui.engine.orchestrate import choose_programs
from musicgen_ui.engine.steer import Steering, levelled, slider_guide
from musicgen_ui.models.condition import Condition, condition_of, stack
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Composer, Hook, Plan, draw_noise
from musicgen_ui.music.form import Shape
from musicgen_ui.music.frame import introduced
from musicgen_ui.music.score import METRES, Score
from musicgen_ui.music.table import DrumVocabulary, from_table
from musicgen_ui.music.theory import KEYS, PITCH_NAMES, key_is_minor, key_tonic
from musicgen_ui.music.tokens import HIGH, LOW, STEPS_PER_BEAT, decode, fold
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import AUTO, Style

NEUTRAL = {False: "C major", True: "A minor"}
"""Composers write in these keys, by "is minor"; the score is moved afterwards."""

FIRST_BAR = 8
"""Where in a piece a clip begins: after the introduction, when everybody plays. It ends where the piece ends."""

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
    early: Callable[[Score], None] | None = None,
) -> Score:
    """Writes a score in the style's key, tempo and metre, of exactly ``bars`` bars, with only its active parts.

    Args:
        composer: a loaded composer in evaluation mode.
        style: the request.
        seed: the same seed, style and composer give the same score.
        bars: length.
        takes: how many to write; the one that lies nearest to the sliders and says its key most clearly is kept. After
            some bars (``jury.commits``) all of them go on from the one that is the best so far.
        scales: score side of the slider scales, by slider.
        sampling: how bold; None for the defaults.
        shape: form, introduction and ending; None for a free form that comes to an end.
        steering: how the sliders lean on what is written; None for as far as it takes.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.
        early: told the first bars as soon as it is known that they will stay, then more of them. The last chord of an
            ending is missing, and velocities may still move a little all together.

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
        early=None if early is None else lambda _, score: early(score),
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
    early: Callable[[int, Score], None] | None = None,
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
        early: as in :func:`compose`, with the number of the style.

    Returns:
        A score a style, in their order.
    """
    if len(styles) != len(seeds):
        raise ValueError("every style needs a seed")
    if len({(style.metre, style.active_parts) for style in styles}) > 1:
        raise ValueError("the styles of a batch must agree in metre and active parts")
    layout, steering = Layout.of(bars, shape or Shape()), steering or Steering()
    networks = load_networks() if takes > 1 else {}
    writing = _Writing(composer, layout, sampling or SamplingConfig(), steering, scales, networks, hook)
    requests = [_Request.of(style, seed) for style, seed in zip(styles, seeds, strict=True)]
    best: list[Score | None] = [None] * len(requests)
    waiting = list(range(len(requests)))
    for attempt in range(_EMPTY_RETRIES):
        if not waiting:
            break
        group = [requests[i] for i in waiting]
        told = None if early is None else partial(_told, early, layout, dict(zip(waiting, group, strict=True)))
        written = writing.write(group, range(attempt * takes, (attempt + 1) * takes), told)
        for i, score in zip(waiting, written, strict=True):
            best[i] = score
        waiting = [i for i in waiting if not any(best[i].parts.values())]
    return [_arranged(score, request) for score, request in zip(best, requests, strict=True)]


def _arranged(score: Score, request: _Request) -> Score:
    """A score in its neutral key as it is handed out."""
    return replace(in_key(score, request.key), programs=choose_programs(request.style, request.seed))


def _told(
    early: Callable[[int, Score], None], layout: Layout, group: Mapping[int, _Request], place: int, score: Score
) -> None:
    """Tells of the first bars of the request at a place of a group, as soon as they hold all of an introduction."""
    if score.bars >= layout.intro_bars:
        number = list(group)[place]
        early(number, _arranged(introduced(score, layout.intro_bars), group[number]))


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
    networks: Mapping[str, FeatureNetwork]
    hook: Hook

    def write(self, requests: Sequence[_Request], takes: range, told: Told | None) -> list[Score]:
        """The best of the given takes of every request, in its neutral key; all are written as one batch."""
        style, composer = requests[0].style, self.composer
        steps = self.layout.body_bars * METRES[style.metre] * STEPS_PER_BEAT
        vocabulary = DrumVocabulary(composer.config.drum_masks)
        device = next(composer.parameters()).device
        numbers = [number for number in range(len(requests)) for _ in takes]
        seeds = [_take_seed(request.seed, take) for request in requests for take in takes]
        latents, noise = draw_noise(seeds, steps, composer.config.latent)
        asked = stack([requests[number].condition for number in numbers]).to(device)
        closes = self.layout.ending == "close"
        guide = slider_guide(asked, self.scales, vocabulary, steps=steps, steering=self.steering, closes=closes)
        observed = requests[0].condition.active[0].numpy()
        per_bar = METRES[style.metre] * STEPS_PER_BEAT

        def read(table: Tensor, number: int) -> Score:
            # Reading and judging many takes of a long piece lasts long enough to be stopped in between.
            self.hook("compose", len(table), steps)
            request = requests[number]
            grid = from_table(table.numpy(), vocabulary, style.metre, observed)
            return decode(grid, tempo=request.style.tempo, key=NEUTRAL[key_is_minor(request.key)])

        def cost(score: Score, number: int) -> float:
            self.hook("compose", min(score.bars * per_bar, steps), steps)
            wanted = replace(requests[number].style, **self.steering.targets)
            return distance(score, wanted, self.scales, self.networks)

        jury = EarlyJury(
            tuple(numbers),
            per_bar,
            # An introduction is made of the first bars, all of which it has to know.
            commits(self.layout.body_bars, max(FIRST_COMMIT, self.layout.intro_bars)),
            lambda table, number: self._levelled(read(table, number), requests[number]),
            cost,
            told,
        )
        with one_thread():
            tables = write_layout(
                composer,
                asked,
                latents,
                noise,
                self.layout,
                config=self.sampling,
                hook=self.hook,
                plan=Plan(first_bar=FIRST_BAR, guide=guide, jury=jury),
            )
        best = []
        for number, request in enumerate(requests):
            mine = tables[number * len(takes) : (number + 1) * len(takes)]
            scores = [self._levelled(framed(read(table, number), self.layout), request) for table in mine]
            # The first of equals; one alone need not be judged.
            best.append(scores[0] if len(scores) == 1 else min(scores, key=lambda score: cost(score, number)))
        return best

    def _levelled(self, score: Score, request: _Request) -> Score:
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


def _take_seed(seed: int, take: int) -> int:
    return int(np.random.SeedSequence([seed, take]).generate_state(1, np.uint64)[0] >> 1)
