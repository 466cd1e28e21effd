"""Taste: what each person likes, learned from what they do, and what to make for them next.

Everything is worked out from the person's events, so that nothing has to be trusted but them. What is kept beside them
is whether the person wants it, since when they count, and what was proposed last; it lies with the person's
other memories and is exported and forgotten with them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

import numpy as np

from musicgen_ui.library.taste_examples import Example, examples_of, stacked
from musicgen_ui.library.taste_model import TasteModel
from musicgen_ui.library.taste_radio import PLACE_SIZE, REMEMBERED, Proposal, propose, remembered
from musicgen_ui.library.taste_words import Phrase, inspected, phrases
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style

MEMORY = "taste"
"""Name of the memory."""

NEWEST_EVENTS = 4000
"""Events that are learned from; those before them have faded."""

_HELD = 64


class Past(Protocol):
    """What is used of ``Library.events``."""

    def list(self, person: str, *, newest: int | None = None) -> Sequence[Any]: ...


class Memories(Protocol):
    """What is used of ``Library.people``."""

    def read(self, person: str, name: str) -> Any: ...
    def write(self, person: str, name: str, value: Any) -> None: ...


@dataclass(frozen=True)
class TasteState:
    """What is kept of a person's taste beside the events.

    Attributes:
        on: whether the person wants to be learned from.
        since: time in milliseconds up to which events do not count.
        proposed: what ``taste_radio.remembered`` made of the last proposals.
    """

    on: bool = True
    since: int = 0
    proposed: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value."""
        return {"on": self.on, "since": self.since, "proposed": [dict(old) for old in self.proposed]}

    @classmethod
    def from_dict(cls, value: Any) -> TasteState:
        """Inverse of :meth:`to_dict`; what cannot be read takes its default, since imports may bring anything."""
        value = value if isinstance(value, Mapping) else {}
        since = value.get("since")
        proposed = value.get("proposed")
        return cls(
            value.get("on") is not False,
            since if isinstance(since, int) and not isinstance(since, bool) and since > 0 else 0,
            tuple(old for old in proposed if _whole(old))[-REMEMBERED:] if isinstance(proposed, list) else (),
        )


@dataclass(frozen=True)
class Learned:
    """What was made of a person's events.

    Attributes:
        examples: one for each clip that they say something of, the latest last.
        model: what is believed.
    """

    examples: list[Example] = field(default_factory=list)
    model: TasteModel = field(default_factory=TasteModel.unknown)

    @property
    def counts(self) -> dict[str, int]:
        """How many clips were ``liked`` and ``disliked``, and how many more were only ``played`` or skipped."""
        told = [example for example in self.examples if example.told]
        liked = sum(example.liked for example in told)
        return {"liked": liked, "disliked": len(told) - liked, "played": len(self.examples) - len(told)}


class Taste:
    """Everybody's taste. Threads may share it.

    Args:
        events: what people did.
        memories: what else is remembered of them.
        clock: milliseconds since 1970.
        sounds: ids of clips to the ``taste_features.sound_of`` of those that are known.
        stops: complete styles that the radio begins with; without any, every genre where it is at home.
    """

    def __init__(
        self,
        events: Past,
        memories: Memories,
        clock: Callable[[], int],
        sounds: Callable[[Sequence[str]], Mapping[str, Sequence[float]]] = lambda ids: {},
        stops: Sequence[Style] = (),
    ) -> None:
        self.stops = tuple(stops)
        self._events, self._memories, self._clock, self._sounds = events, memories, clock, sounds
        self._held: OrderedDict[tuple[str, int, int], Learned] = OrderedDict()
        self._lock = Lock()

    def state(self, person: str) -> TasteState:
        """What is kept of a person."""
        return TasteState.from_dict(self._memories.read(person, MEMORY))

    def learned(self, person: str) -> Learned:
        """What is believed of a person who wants it; nothing of another."""
        state = self.state(person)
        happened = self._events.list(person, newest=NEWEST_EVENTS) if state.on else []
        # An import brings events that are older than those before them.
        events = sorted((event for event in happened if event.time > state.since), key=lambda event: event.time)
        if not events:
            return Learned()
        # Another day fades all of them alike, and little: what was learned holds until something happens.
        key = (person, state.since, max(event.id for event in events))
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        sounds = self._sounds([event.clip for event in events])
        examples = examples_of(events, self._clock(), sounds)
        learned = Learned(examples, TasteModel.fit(*stacked(examples)))
        with self._lock:
            self._held[key] = learned
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return learned

    def explain(self, person: str) -> dict[str, Any]:
        """What is known of a person's taste, as plain JSON value.

        Returns:
            ``on``; ``counts`` of :class:`Learned`; ``phrases`` of ``taste_words`` and ``text``, the same in sentences;
            ``weights``, all that is believed, with its uncertainty; ``proposed``, the last proposals with their
            ``seed``, ``title``, ``reason``, ``chance`` and ``why``, the latest last.
        """
        learned, state = self.learned(person), self.state(person)
        told: list[Phrase] = phrases(learned.model, learned.examples)
        return {
            "on": state.on,
            "counts": learned.counts,
            "phrases": [phrase.to_dict() for phrase in told],
            "text": " ".join(phrase.text for phrase in told),
            "weights": inspected(learned.model) if learned.examples else [],
            "proposed": [{k: v for k, v in old.items() if k != "features"} for old in state.proposed],
        }

    def propose(self, person: str, seed: int | None = None, base: Recipe | None = None) -> Proposal:
        """What to make for a person next; it is remembered, so that the next one is another.

        Args:
            person: whose radio plays.
            seed: of what is drawn; None for a fresh one.
            base: length and engines; None for the defaults.
        """
        learned, state = self.learned(person), self.state(person)
        generator = np.random.default_rng(seed)
        proposal = propose(
            learned.model, learned.examples, generator, recent=state.proposed, base=base, stops=self.stops
        )
        number = int(state.proposed[-1]["number"]) + 1 if state.proposed else 0
        proposed = (*state.proposed, remembered(proposal, number))[-REMEMBERED:]
        self._write(person, TasteState(state.on, state.since, proposed))
        return proposal

    def reset(self, person: str) -> None:
        """Begin anew: nothing that happened before counts any more. Likes stay with their clips."""
        self._write(person, TasteState(on=self.state(person).on, since=self._clock()))

    def switch(self, person: str, on: bool) -> None:
        """Learn from a person, or do not: then the radio is the tour for ever."""
        state = self.state(person)
        self._write(person, TasteState(on, state.since, state.proposed))

    def _write(self, person: str, state: TasteState) -> None:
        self._memories.write(person, MEMORY, state.to_dict())


def _whole(old: Any) -> bool:
    """Whether it is what ``taste_radio.remembered`` makes."""
    return (
        isinstance(old, Mapping)
        and isinstance(old.get("number"), int)
        and isinstance(old.get("features"), list)
        and all(isinstance(v, (int, float)) and abs(v) < 100 for v in old["features"])
        and len(old["features"]) == PLACE_SIZE
    )
