"""The form of a clip: which sections it has, how long they are, and which of them come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from types import MappingProxyType

from musicgen_ui.errors import RequestError

FREE = "free"

ENDINGS = ("close", "open", "loop")
"""Close: comes to an end and fades. Open: stops after its last bar. Loop: leads back to its first bar."""

SECTION_BARS = (8, 4, 2, 1)
"""Lengths of a section, the best first."""

_LIFTED = {"energy": 0.08, "density": 0.08}
_CALM = {"energy": -0.04, "density": -0.04}
_BRIDGE = {"energy": -0.06, "density": -0.1, "complexity": 0.1}
_ANSWER = {"density": 0.05, "complexity": 0.06}


@dataclass(frozen=True)
class _Pattern:
    """A form that can be short or long.

    Attributes:
        opening: labels of its sections.
        further: what follows, round and round, where there is room.
        step: how many of ``further`` belong together.
        short: labels where there are fewer bars than sections, by number.
        lifts: slider offsets by label.
    """

    opening: tuple[str, ...]
    further: tuple[str, ...]
    step: int
    short: tuple[tuple[str, ...], ...] = (("A",), ("A", "B"), ("A", "B", "A"), ("A", "B", "C", "A"))
    lifts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def labels(self, count: int) -> tuple[str, ...]:
        """The first ``count`` labels."""
        if count < len(self.opening):
            return self.short[count - 1]
        return (*self.opening, *islice(cycle(self.further), count - len(self.opening)))


_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PRIMES = tuple("A" + "'" * i for i in range(16))

_PATTERNS: dict[str, _Pattern] = {
    "AABA": _Pattern(("A", "A", "B", "A"), ("B", "A"), 2, lifts={"B": _BRIDGE}),
    "ABAB": _Pattern(("A", "B", "A", "B"), ("A", "B"), 2, lifts={"A": _CALM, "B": _LIFTED}),
    "verse-chorus": _Pattern(
        ("verse", "chorus", "verse", "chorus"),
        ("bridge", "chorus", "verse", "chorus"),
        2,
        (("verse",), ("verse", "chorus"), ("verse", "verse", "chorus")),
        {"verse": _CALM, "chorus": _LIFTED, "bridge": _BRIDGE},
    ),
    "rondo": _Pattern(
        ("A", "B", "A", "C", "A"), ("B", "A", "C", "A"), 2, lifts={"B": _LIFTED, "C": _BRIDGE, "A": _CALM}
    ),
    "theme and variations": _Pattern(
        _PRIMES[:3],
        _PRIMES[3:],
        1,
        (_PRIMES[:1], _PRIMES[:2]),
        dict(zip(_PRIMES[1:], cycle((_ANSWER, _LIFTED, _BRIDGE)), strict=False)),
    ),
    "through-composed": _Pattern(
        _LETTERS[:3],
        _LETTERS[3:],
        1,
        (_LETTERS[:1], _LETTERS[:2]),
        dict(zip(_LETTERS, cycle(({}, _LIFTED, _BRIDGE, _ANSWER)), strict=False)),
    ),
}

FORMS = (FREE, *_PATTERNS)
"""Free: the composer goes on as it likes. The others are what a person would call them."""

_VARIATIONS = (0.25, 0.5, 0.75)
"""Share of the parts that the first variation writes anew, the second, the third, and so on round and round."""

_INTRO_BARS = ((4, 16), (2, 8), (1, 3))
"""Length of an introduction, and the clip's length from which on it may be so long."""


@dataclass(frozen=True)
class Section:
    """Some bars that belong together.

    Attributes:
        label: what a person calls it; ``intro`` for the introduction.
        first: its first bar, from the start of the clip.
        bars: its length.
        repeats: first bar of the section that it takes up; None for a new one. An introduction takes up what follows.
        variation: share of the parts that may be written anew where it repeats.
        lift: what is added to the sliders, by slider.
    """

    label: str
    first: int
    bars: int
    repeats: int | None = None
    variation: float = 0.0
    lift: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def end(self) -> int:
        """The bar after its last."""
        return self.first + self.bars


@dataclass(frozen=True)
class Shape:
    """What a person says about the course of a clip.

    Attributes:
        form: one of FORMS.
        intro: with an introduction, inside the clip's bars.
        ending: one of ENDINGS.
    """

    form: str = FREE
    intro: bool = False
    ending: str = ENDINGS[0]


def check_form(form: str, ending: str) -> None:
    """Refuses what there is not.

    Raises:
        RequestError: ``form`` or ``ending`` is unknown.
    """
    for name, value, known in (("form", form, FORMS), ("ending", ending, ENDINGS)):
        if value not in known:
            raise RequestError(name, f"{value!r:.40} is not one of {', '.join(known)}")


def plan_form(form: str, bars: int, intro: bool = False, ending: str = "close") -> tuple[Section, ...]:
    """Lays a clip out.

    Sections have 8, 4 or 2 bars; a short clip has shorter ones, a very short one fewer. Bars that are left over
    lengthen the end.

    Args:
        form: one of FORMS.
        bars: length of the whole, with the introduction.
        intro: with an introduction.
        ending: one of ENDINGS; it takes no bars of its own.

    Returns:
        Sections in order, without gaps; the introduction, if any, first.

    Raises:
        RequestError: an unknown form or ending, or no room for an introduction.
    """
    check_form(form, ending)
    if bars < 1:
        raise ValueError("a clip has at least one bar")
    if not intro:
        return _body(form, bars, 0)
    lengths = [length for length, least in _INTRO_BARS if bars >= least]
    if not lengths:
        raise RequestError("intro", f"{bars} bars leave no room for an introduction; it needs at least 3 bars")
    # The first length, or the next one where that leaves no bars over.
    best = min(lengths[:2], key=lambda length: _left_over(form, bars - length))
    return (Section("intro", 0, best, best), *_body(form, bars - best, best))


def _sizes(form: str, bars: int) -> list[int]:
    """Bars of each section of a body."""
    if form == FREE:
        return [bars]
    pattern = _PATTERNS[form]
    least = len(pattern.opening)
    if bars < least:
        return [1] * bars
    unit = next(size for size in SECTION_BARS if least * size <= bars)
    if unit == 1:
        # Later sections are the first to become longer.
        return [1] * (2 * least - bars) + [2] * (bars - least)
    sizes = [unit] * (bars // unit)
    sizes[-1] += bars % unit
    return sizes


def _left_over(form: str, bars: int) -> int:
    """Bars that do not fit into sections of one length and whole turns of the form."""
    sizes = _sizes(form, bars)
    extra = len(sizes) - _whole(form, len(sizes))
    return sum(size - min(sizes) for size in sizes) + extra * min(sizes)


def _whole(form: str, sections: int) -> int:
    """How many of ``sections`` make up whole turns of the form."""
    if form == FREE:
        return sections
    pattern = _PATTERNS[form]
    return sections - max(0, sections - len(pattern.opening)) % pattern.step


def _body(form: str, bars: int, first: int) -> tuple[Section, ...]:
    """Sections of everything but the introduction, from bar ``first`` on."""
    if form == FREE:
        return (Section("A", first, bars),)
    pattern, sizes = _PATTERNS[form], _sizes(form, bars)
    labels = pattern.labels(_whole(form, len(sizes)))
    # What does not make a whole turn comes back to the last label: a chorus once more.
    labels = (*labels, *labels[-1:] * (len(sizes) - len(labels)))
    sections: list[Section] = []
    known: dict[str, Section] = {}
    for label, size in zip(labels, sizes, strict=True):
        section = Section(label, first, size, lift=MappingProxyType(dict(pattern.lifts.get(label, {}))))
        origin = label.rstrip("'")
        if label in known:
            section = replace(section, repeats=known[label].first)
        elif origin in known:
            share = _VARIATIONS[(len(label) - 2) % len(_VARIATIONS)]
            section = replace(section, repeats=known[origin].first, variation=share)
        known.setdefault(label, section)
        sections.append(section)
        first += size
    return tuple(sections)
