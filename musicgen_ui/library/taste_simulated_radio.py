"""A radio for simulated people: whether its proposals get better, counted by what they really like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from musicgen_ui.library.taste_examples import examples_of, stacked
from musicgen_ui.library.taste_model import TasteModel
from musicgen_ui.library.taste_people import KINDS, SimulatedPerson, Truth, simulated_person
from musicgen_ui.library.taste_radio import propose, remembered
from musicgen_ui.library.taste_styles import from_everywhere
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import AUTO, GENRES, SLIDERS

DONORS = 8
"""Real clips with the most alike styles, of which one lends what became of what was asked."""


@dataclass(frozen=True)
class SimulatedStudio:
    """Makes of a recipe what the real studio would: what was asked, missed as one of its real clips missed.

    Attributes:
        clips: real clips, rows of :meth:`Truth.of`.
    """

    clips: Sequence[Mapping[str, Any]]

    def make(self, recipe: Recipe, generator: np.random.Generator) -> dict[str, Any]:
        """A row like those of the real clips."""
        wanted = self._place(recipe.style.to_dict())
        distance = [float(np.square(wanted - self._place(clip["recipe"]["style"])).sum()) for clip in self.clips]
        donor = self.clips[int(generator.choice(np.argsort(distance)[:DONORS]))]
        asked, lent = recipe.style.to_dict(), donor["recipe"]["style"]

        def missed(values: Mapping[str, Any], key: str) -> float | None:
            slider = SLIDERS[key]
            if values.get(key) is None:
                return None
            return float(np.clip(asked[key] + values[key] - lent[key], slider.low, slider.high))

        chosen = {part: setting["instrument"] for part, setting in asked["parts"].items() if setting["on"]}
        parts = {part: donor["parts"].get(part, "") if name == AUTO else name for part, name in chosen.items()}
        heard = {key: missed(donor["heard"], key) for key in SLIDERS}
        return {
            "recipe": recipe.to_dict(),
            "heard": {**heard, "key": donor["key"], "genres": donor["heard"]["genres"]},
            "parts": parts,
            "key": None,
            "notes": {key: missed(donor["notes"], key) for key in donor["notes"]},
            "sound": donor["sound"],
        }

    def _place(self, style: Mapping[str, Any]) -> np.ndarray:
        sliders = [(style[key] - s.low) / (s.high - s.low) for key, s in SLIDERS.items()]
        return np.array([*sliders, *(0.7 * style["genre"].get(genre, 0.0) for genre in GENRES)])


def listen_to_radio(
    person: SimulatedPerson, studio: SimulatedStudio, everywhere: np.ndarray, *, proposals: int, seed: int
) -> dict[str, np.ndarray]:
    """One person's hour: every proposal is made, judged and learned from.

    Args:
        person: who listens.
        studio: makes the clips.
        everywhere: (n,) sorted, how much the person likes clips from everywhere.
        proposals: how many.
        seed: of everything.

    Returns:
        ``liked`` (proposals,) whether it really was, ``place`` its quantile among clips from everywhere, ``new``
        whether it was something new, ``genre`` the number of its foremost genre, -1 for none.
    """
    generator = np.random.default_rng([seed, 0x4AD])
    events: list[SimpleNamespace] = []
    sounds, recent = {}, []
    found: dict[str, list[float]] = {"liked": [], "place": [], "new": [], "genre": []}
    for number in range(proposals):
        examples = examples_of(events, number, sounds)
        model = TasteModel.fit(*stacked(examples))
        proposal = propose(model, examples, generator, recent=recent)
        recent.append(remembered(proposal, number))
        clip = studio.make(proposal.recipe, generator)
        truth = Truth.of([clip])
        said = "like" if person.labels(truth, generator)[0] else "dislike"
        events.append(SimpleNamespace(clip=str(number), kind=said, time=number, at=None, traits=clip))
        sounds[str(number)] = clip["sound"]
        found["liked"].append(float(person.likes(truth)[0]))
        found["place"].append(float(np.searchsorted(everywhere, person.liking(truth)[0]) / len(everywhere)))
        found["new"].append(float(proposal.surprising))
        weights = proposal.recipe.style.genre
        found["genre"].append(float(GENRES.index(max(weights, key=weights.__getitem__)) if weights else -1))
    return {name: np.array(values) for name, values in found.items()}


def measure_radio(
    clips: Sequence[Mapping[str, Any]],
    *,
    people: int,
    proposals: int = 50,
    seed: int = 0,
    hook: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Hit rate and regret of the radio and of clips from everywhere.

    Args:
        clips: real clips, rows of :meth:`Truth.of`.
        people: of each kind.
        proposals: that each of them hears.
        seed: of everything.
        hook: called once for each person.

    Returns:
        Shares of proposals that were really liked, by tens, by how they were chosen and by kind of taste; ``regret``
        after each ten: the sum of one minus each clip's quantile among clips from everywhere.
    """
    studio = SimulatedStudio(clips)
    generator = np.random.default_rng([seed, 0x0A])
    truth = Truth.of([studio.make(Recipe(style=from_everywhere(generator)), generator) for _ in range(600)])
    real = Truth.of(clips)
    runs: list[tuple[str, dict[str, np.ndarray], float]] = []
    for number, kind in enumerate(kind for kind in KINDS for _ in range(people)):
        person = simulated_person(kind, real, np.random.default_rng([seed, number, 0x3B]))
        everywhere = np.sort(person.liking(truth))
        heard = listen_to_radio(person, studio, everywhere, proposals=proposals, seed=seed + 7919 * number)
        runs.append((kind, heard, float(person.likes(truth).mean())))
        hook()
    liked, place, new = (np.array([run[name] for _, run, _ in runs]) for name in ("liked", "place", "new"))
    genres = [len(set(run["genre"][-25:]) - {-1.0}) for _, run, _ in runs]
    tens = range(0, proposals, 10)

    def rate(values: np.ndarray, where: np.ndarray) -> float:
        return round(float(values[where].mean()), 4) if where.any() else float("nan")

    return {
        "people": len(runs),
        "liked, radio": {f"{ten + 1}-{ten + 10}": round(float(liked[:, ten : ten + 10].mean()), 4) for ten in tens},
        "liked, random clips": round(float(np.mean([share for _, _, share in runs])), 4),
        "of them": {
            "all": round(float(liked.mean()), 4),
            "chosen to be liked": rate(liked, new == 0),
            "chosen to be liked, last 25": rate(liked[:, -25:], new[:, -25:] == 0),
            "something new": rate(liked, new == 1),
        },
        "kinds": {
            kind: round(float(np.mean([run["liked"].mean() for k, run, _ in runs if k == kind])), 4) for kind in KINDS
        },
        "something new, share": round(float(new.mean()), 4),
        "genres in the last 25": round(float(np.mean(genres)), 2),
        "regret": {
            str(ten + 10): {
                "radio": round(float((1.0 - place[:, : ten + 10]).sum(axis=1).mean()), 2),
                "random": 0.5 * (ten + 10),
            }
            for ten in tens
        },
    }
